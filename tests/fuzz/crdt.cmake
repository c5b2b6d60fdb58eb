foreach(target crdt_apply crdt_merge)
  um_fuzz(${target} SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_${target}.c LINK um_crdt um_base
    CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${target})
endforeach()
