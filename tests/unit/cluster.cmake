um_unit_test(cluster SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/cluster/test_cluster.c LINK um_cluster um_conf um_process
             INCLUDES ${CMAKE_SOURCE_DIR}/core/lib/cluster)
