set(domain ${CMAKE_SOURCE_DIR}/tests/unit/domain)
set(domain_rig ${domain}/domain_rig.c ${domain}/content_rig.c ${domain}/operations_rig.c ${domain}/search_rig.c ${domain}/search_naive.c
    ${CMAKE_SOURCE_DIR}/tests/unit/store/rig.c)
foreach(name IN ITEMS
    objects
    acl
    rights
    components
    tags
    parts
    facts
    filter
    rules
    files
    versions
    search
    search_random
    search_jobs
    models
    operations
    operations_rules
    operations_objects
    answers
    favorites
    stored_searches
    annotations
    delegations
    retention
    people)
  um_unit_test(domain_${name} SOURCES ${domain}/test_${name}.c ${domain_rig} LINK um_domain
               INCLUDES ${domain} ${CMAKE_SOURCE_DIR}/core/domain ${CMAKE_SOURCE_DIR}/tests/unit/store)
endforeach()
