set(domain ${CMAKE_SOURCE_DIR}/tests/unit/domain)
set(domain_rig ${domain}/domain_rig.c ${CMAKE_SOURCE_DIR}/tests/unit/store/rig.c)
um_unit_test(domain_objects SOURCES ${domain}/test_objects.c ${domain_rig}
             LINK um_domain INCLUDES ${domain} ${CMAKE_SOURCE_DIR}/tests/unit/store)
um_unit_test(domain_acl SOURCES ${domain}/test_acl.c ${domain_rig}
             LINK um_domain INCLUDES ${domain} ${CMAKE_SOURCE_DIR}/core/domain ${CMAKE_SOURCE_DIR}/tests/unit/store)
um_unit_test(domain_components SOURCES ${domain}/test_components.c ${domain_rig}
             LINK um_domain INCLUDES ${domain} ${CMAKE_SOURCE_DIR}/tests/unit/store)
um_unit_test(domain_tags SOURCES ${domain}/test_tags.c ${domain_rig}
             LINK um_domain INCLUDES ${domain} ${CMAKE_SOURCE_DIR}/core/domain ${CMAKE_SOURCE_DIR}/tests/unit/store)
um_unit_test(domain_search SOURCES ${domain}/test_search.c ${domain}/search_rig.c ${domain_rig}
             LINK um_domain INCLUDES ${domain} ${CMAKE_SOURCE_DIR}/core/domain ${CMAKE_SOURCE_DIR}/tests/unit/store)
um_unit_test(domain_search_random SOURCES ${domain}/test_search_random.c ${domain}/search_rig.c ${domain}/search_naive.c ${domain_rig}
             LINK um_domain INCLUDES ${domain} ${CMAKE_SOURCE_DIR}/core/domain ${CMAKE_SOURCE_DIR}/tests/unit/store)
um_unit_test(domain_search_jobs SOURCES ${domain}/test_search_jobs.c ${domain}/search_rig.c ${domain_rig}
             LINK um_domain INCLUDES ${domain} ${CMAKE_SOURCE_DIR}/core/domain ${CMAKE_SOURCE_DIR}/tests/unit/store)
um_unit_test(domain_files SOURCES ${domain}/test_files.c ${domain_rig}
             LINK um_domain INCLUDES ${domain} ${CMAKE_SOURCE_DIR}/tests/unit/store)
um_unit_test(domain_models SOURCES ${domain}/test_models.c ${domain_rig}
             LINK um_domain INCLUDES ${domain} ${CMAKE_SOURCE_DIR}/tests/unit/store)
