set(store_rig ${CMAKE_SOURCE_DIR}/tests/unit/store/rig.c)
um_unit_test(store SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/store/test_store.c ${store_rig}
             LINK um_store INCLUDES ${CMAKE_SOURCE_DIR}/tests/unit/store)
um_unit_test(store_sqlite SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/store/test_sqlite.c ${store_rig}
             LINK um_store INCLUDES ${CMAKE_SOURCE_DIR}/tests/unit/store)
um_unit_test(store_versions SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/store/test_versions.c ${store_rig}
             LINK um_store INCLUDES ${CMAKE_SOURCE_DIR}/tests/unit/store)
um_unit_test(store_shared SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/store/test_shared.c ${store_rig}
             LINK um_store INCLUDES ${CMAKE_SOURCE_DIR}/tests/unit/store)
um_unit_test(store_pg_url SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/store/test_pg_url.c
             LINK um_store INCLUDES ${CMAKE_SOURCE_DIR}/core/store)
