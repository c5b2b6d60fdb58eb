get_filename_component(UMBEL_ROOT ${CMAKE_CURRENT_LIST_DIR}/.. ABSOLUTE)

# A library sees include/ (libumbel's public headers) and its own folder. What else it may know it
# gets by linking: PUBLIC_HEADERS names the folder that its users see. tests/lint holds the finer arrows.
function(um_library name)
  cmake_parse_arguments(A "" "PUBLIC_HEADERS" "SOURCES;LINK" ${ARGN})
  add_library(${name} STATIC ${A_SOURCES})
  target_include_directories(${name} PUBLIC ${UMBEL_ROOT}/include PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  if(A_PUBLIC_HEADERS)
    target_include_directories(${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/${A_PUBLIC_HEADERS})
  endif()
  target_link_libraries(${name} PUBLIC ${A_LINK} PRIVATE um_flags)
endfunction()

# The files of PATTERN (below the present folder) become part of TARGET: const struct um_embedded NAME[] and size_t NAME_n
# (umbel/embedded.h), by name.
function(um_embed target name pattern)
  file(GLOB files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${pattern})
  list(SORT files)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${name}.c)
  add_custom_command(OUTPUT ${out} DEPENDS ${files} ${UMBEL_ROOT}/cmake/embed.cmake VERBATIM
    COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DNAME=${name} "-DFILES=${files}" -P ${UMBEL_ROOT}/cmake/embed.cmake)
  target_sources(${target} PRIVATE ${out})
endfunction()

# TOOL: for us, not installed. COMPONENT: may be installed by itself.
function(um_program name)
  cmake_parse_arguments(A "TOOL" "COMPONENT" "SOURCES;LINK" ${ARGN})
  if(NOT A_COMPONENT)
    set(A_COMPONENT umbel)
  endif()
  add_executable(${name} ${A_SOURCES})
  target_include_directories(${name} PRIVATE ${UMBEL_ROOT}/include ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${A_LINK} um_flags)
  if(NOT A_TOOL)
    install(TARGETS ${name} RUNTIME DESTINATION bin COMPONENT ${A_COMPONENT})
  endif()
endfunction()

# unit.<module>: one cmocka program, no network, milliseconds. INCLUDES opens a module's own folder.
function(um_unit_test module)
  cmake_parse_arguments(A "" "" "SOURCES;LINK;INCLUDES" ${ARGN})
  set(target test_${module})
  add_executable(${target} ${A_SOURCES})
  target_include_directories(${target} PRIVATE ${UMBEL_ROOT}/include ${UMBEL_ROOT}/tests/harness ${A_INCLUDES})
  target_compile_definitions(${target} PRIVATE UM_TEST_VECTORS="${UMBEL_ROOT}/tests/vectors")
  target_link_libraries(${target} PRIVATE ${A_LINK} cmocka um_flags)
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME unit.${module} COMMAND ${target})
  set_tests_properties(unit.${module} PROPERTIES LABELS unit TIMEOUT 120)
  # Modules with threads run under the thread sanitizer as well, from the tree UMBEL_TSAN_BUILD.
  if(UMBEL_TSAN_BUILD AND module IN_LIST UMBEL_THREADED)
    add_test(NAME thread.${module} COMMAND ${UMBEL_TSAN_BUILD}/tests/${target})
    set_tests_properties(thread.${module} PROPERTIES LABELS thread TIMEOUT 300)
  endif()
endfunction()
set(UMBEL_THREADED content reserve jobs_engine cachegen cluster redis archive collab_engine crdt_threads loop log ws http store store_sqlite store_sql session throttle proxy outgoing native)

# fuzz.<target>: built with clang's libFuzzer; runs UMBEL_FUZZ_S seconds (10) over its corpus in the suite.
# UMBEL_FUZZ builds the targets (clang); the suite of another build tree runs those of the tree UMBEL_FUZZ_BUILD.
function(um_fuzz name)
  cmake_parse_arguments(A "" "CORPUS" "SOURCES;LINK;INCLUDES" ${ARGN})
  set(target fuzz_${name})
  if(UMBEL_FUZZ_BUILD)
    add_test(NAME fuzz.${name} COMMAND ${UMBEL_ROOT}/tests/fuzz/run ${UMBEL_FUZZ_BUILD}/fuzz/${target} ${A_CORPUS})
    set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT 3600)
  endif()
  if(NOT UMBEL_FUZZ)
    return()
  endif()
  add_executable(${target} ${A_SOURCES})
  target_include_directories(${target} PRIVATE ${UMBEL_ROOT}/include ${A_INCLUDES})
  target_compile_options(${target} PRIVATE -fsanitize=fuzzer)
  target_link_options(${target} PRIVATE -fsanitize=fuzzer)
  target_link_libraries(${target} PRIVATE ${A_LINK} um_flags)
  set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
endfunction()
