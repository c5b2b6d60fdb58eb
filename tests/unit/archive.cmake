um_unit_test(archive SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/archive/test_archive.c ${CMAKE_SOURCE_DIR}/tests/unit/archive/rig.c
             LINK um_archive um_conf INCLUDES ${CMAKE_SOURCE_DIR}/tests/unit/archive)
um_unit_test(archive_xml SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/archive/test_xml.c
             LINK um_archive INCLUDES ${CMAKE_SOURCE_DIR}/core/archive ${CMAKE_SOURCE_DIR}/core/archive/s3)
