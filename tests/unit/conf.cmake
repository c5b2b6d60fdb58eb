um_unit_test(conf_properties SOURCES ${UMBEL_ROOT}/tests/unit/conf/test_properties.c
             LINK um_conf INCLUDES ${UMBEL_ROOT}/core/lib/conf)
target_link_options(test_conf_properties PRIVATE -Wl,--wrap=realloc)     # the n-th allocation fails
um_unit_test(conf_convert SOURCES ${UMBEL_ROOT}/tests/unit/conf/test_convert.c
             LINK um_conf INCLUDES ${UMBEL_ROOT}/core/lib/conf)
um_unit_test(conf SOURCES ${UMBEL_ROOT}/tests/unit/conf/test_conf.c
             LINK um_conf INCLUDES ${UMBEL_ROOT}/core/lib/conf)
