# Every target of ours links um_flags: C17 with GNU extensions, one set of warnings, hardening.
include(CheckCCompilerFlag)
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

add_library(um_flags INTERFACE)
target_compile_definitions(um_flags INTERFACE _GNU_SOURCE UMBEL_VERSION="${PROJECT_VERSION}")
target_compile_options(um_flags INTERFACE
  -Wall -Wextra -Wformat=2 -Wconversion -Wno-sign-conversion -Wshadow -Wstrict-prototypes
  -Wmissing-prototypes -Wimplicit-fallthrough -Wpointer-arith -Wvla
  -Werror=format-security -Werror=implicit -Werror=incompatible-pointer-types -Werror=int-conversion
  -fno-strict-overflow -fno-strict-aliasing -fno-delete-null-pointer-checks
  -fno-omit-frame-pointer)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  target_compile_options(um_flags INTERFACE -Wtrampolines -Wbidi-chars=any)
endif()
if(UMBEL_WERROR)
  target_compile_options(um_flags INTERFACE -Werror)
endif()
if(UMBEL_FAILPOINTS)
  target_compile_definitions(um_flags INTERFACE UMBEL_FAILPOINTS=1)
endif()

set(CMAKE_C_FLAGS_DEBUG "-O1 -g")
set(CMAKE_C_FLAGS_RELEASE "-O2 -g")       # assertions of data invariants stay on: no -DNDEBUG

if(UMBEL_FUZZ)
  target_compile_options(um_flags INTERFACE -fsanitize=fuzzer-no-link)   # coverage of the libraries, not of the target alone
endif()
if(UMBEL_SANITIZE STREQUAL "address")
  target_compile_options(um_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all)
  target_link_options(um_flags INTERFACE -fsanitize=address,undefined)
elseif(UMBEL_SANITIZE STREQUAL "thread")
  target_compile_options(um_flags INTERFACE -fsanitize=thread)
  target_link_options(um_flags INTERFACE -fsanitize=thread)
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  foreach(flag -fstack-protector-strong -fstack-clash-protection -fcf-protection=full
               -ftrivial-auto-var-init=zero -fstrict-flex-arrays=3 -fzero-init-padding-bits=all)
    string(MAKE_C_IDENTIFIER "UM_HAVE${flag}" have)
    check_c_compiler_flag(${flag} ${have})
    if(${have})
      target_compile_options(um_flags INTERFACE ${flag})
    endif()
  endforeach()
  target_compile_options(um_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
  target_link_options(um_flags INTERFACE -Wl,-z,relro,-z,now -Wl,-z,noexecstack -Wl,--as-needed)
endif()
set(CMAKE_EXE_LINKER_FLAGS "${CMAKE_EXE_LINKER_FLAGS} -pie")
