# embed_files(<target> <header> <array> <files…>): gives the target a generated header that has the
# bytes of the files, each as `inline constexpr unsigned char <array>_<n>[]` in namespace msab, and
# `inline constexpr EmbeddedFile <array>[]` with their names, in the order given.
function(embed_files target header array)
  set(includes)
  set(rows)
  set(parts)
  set(n 0)
  foreach(file ${ARGN})
    get_filename_component(name ${file} NAME)
    set(part ${header}.${n}.h)
    add_custom_command(
      OUTPUT ${part}
      COMMAND ${CMAKE_COMMAND} -DINPUT=${file} -DOUTPUT=${part} -DSYMBOL=${array}_${n} -P
              ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
      DEPENDS ${file} ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
      VERBATIM)
    get_filename_component(part_name ${part} NAME)
    string(APPEND includes "#include \"${part_name}\"\n")
    string(APPEND rows "    {\"${name}\", ${array}_${n}, sizeof(${array}_${n})},\n")
    list(APPEND parts ${part})
    math(EXPR n "${n} + 1")
  endforeach()
  file(CONFIGURE OUTPUT ${header} CONTENT "#pragma once
#include <cstddef>
${includes}
namespace msab {
struct EmbeddedFile {
  const char* name;
  const unsigned char* bytes;
  size_t size;
};
inline constexpr EmbeddedFile ${array}[] = {
${rows}};
}  // namespace msab
" @ONLY)
  target_sources(${target} PRIVATE ${parts})
endfunction()
