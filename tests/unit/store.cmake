set(store_rig ${CMAKE_SOURCE_DIR}/tests/unit/store/rig.c)
um_unit_test(store SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/store/test_store.c ${store_rig}
             LINK um_store INCLUDES ${CMAKE_SOURCE_DIR}/tests/unit/store)
um_unit_test(store_sqlite SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/store/test_sqlite.c ${store_rig}
             LINK um_store INCLUDES ${CMAKE_SOURCE_DIR}/tests/unit/store)
um_unit_test(store_versions SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/store/test_versions.c ${store_rig}
             LINK um_store INCLUDES ${CMAKE_SOURCE_DIR}/tests/unit/store)
um_unit_test(store_shared SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/store/test_shared.c ${store_rig}
             LINK um_store INCLUDES ${CMAKE_SOURCE_DIR}/tests/unit/store)
um_unit_test(store_sql SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/store/test_sql.c ${store_rig}
             LINK um_store INCLUDES ${CMAKE_SOURCE_DIR}/tests/unit/store)
um_unit_test(store_pg_url SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/store/test_pg_url.c
             LINK um_store INCLUDES ${CMAKE_SOURCE_DIR}/core/store)
um_unit_test(store_statements SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/store/test_statements.c
             LINK um_store INCLUDES ${CMAKE_SOURCE_DIR}/core/store)
um_unit_test(store_modules SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/store/test_modules.c ${store_rig}
             LINK um_store INCLUDES ${CMAKE_SOURCE_DIR}/core/store ${CMAKE_SOURCE_DIR}/tests/unit/store)
