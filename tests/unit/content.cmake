um_unit_test(content SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/content/test_content.c ${CMAKE_SOURCE_DIR}/tests/unit/store/rig.c
             LINK um_content INCLUDES ${CMAKE_SOURCE_DIR}/core/content ${CMAKE_SOURCE_DIR}/tests/unit/store)
um_unit_test(content_sniff SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/content/test_sniff.c LINK um_content
             INCLUDES ${CMAKE_SOURCE_DIR}/core/content)
