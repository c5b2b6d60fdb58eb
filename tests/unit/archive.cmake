um_unit_test(archive SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/archive/test_archive.c ${CMAKE_SOURCE_DIR}/tests/unit/archive/rig.c
             LINK um_archive um_conf INCLUDES ${CMAKE_SOURCE_DIR}/tests/unit/archive)
