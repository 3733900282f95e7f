# Flags of every target of ours; generated code lifts the warnings for itself.
add_compile_options(-Wall -Wextra -Werror)
if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  # Line tables are what a profile and a stack trace need; full debug info doubles the build.
  string(REPLACE "-O2 -g" "-O2 -g1" CMAKE_CXX_FLAGS_RELWITHDEBINFO "${CMAKE_CXX_FLAGS_RELWITHDEBINFO}")
endif()
if(MSAB_SANITIZE)
  add_compile_options(-fsanitize=${MSAB_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${MSAB_SANITIZE})
  if(MSAB_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()
if(MSAB_FUZZ)
  # Coverage of all our code, for the fuzzers to steer by.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
