um_fuzz(collab SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_collab.c LINK um_collab
        CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/collab)
um_fuzz(bus_stock SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_bus_stock.c LINK um_collab INCLUDES ${CMAKE_SOURCE_DIR}/core/collab
        CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/bus_stock)
um_fuzz(bus SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_bus.c LINK um_collab INCLUDES ${CMAKE_SOURCE_DIR}/core/collab
        CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/bus)
