# Writes a file's bytes as a C++ header: cmake -DINPUT=… -DOUTPUT=… -DSYMBOL=… -P embed.cmake
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "(................................................................................)"
                     "\\1\n" bytes "${bytes}")
file(WRITE ${OUTPUT} "#pragma once
namespace msab {
inline constexpr unsigned char ${SYMBOL}[] = {
${bytes}};
}  // namespace msab
")
