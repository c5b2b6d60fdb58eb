pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson)
set(collab ${CMAKE_SOURCE_DIR}/tests/unit/collab)
um_unit_test(collab_message SOURCES ${collab}/test_message.c LINK um_collab PkgConfig::JANSSON
             INCLUDES ${CMAKE_SOURCE_DIR}/core/collab)
um_unit_test(collab_presence SOURCES ${collab}/test_presence.c LINK um_collab PkgConfig::JANSSON
             INCLUDES ${CMAKE_SOURCE_DIR}/core/collab)
um_unit_test(collab_bus_stock SOURCES ${collab}/test_bus_stock.c LINK um_collab PkgConfig::JANSSON
             INCLUDES ${CMAKE_SOURCE_DIR}/core/collab)
um_unit_test(collab_engine SOURCES ${collab}/test_engine.c ${collab}/bench.c ${collab}/test_admission.c ${collab}/test_editing.c
             ${collab}/test_storing.c ${collab}/test_ending.c ${collab}/test_work.c ${collab}/test_listing.c ${collab}/test_rights.c
             ${collab}/test_threads.c
             LINK um_collab INCLUDES ${CMAKE_SOURCE_DIR}/core/collab)
add_test(NAME unit.collab_engine_three COMMAND test_collab_engine three)
get_test_property(unit.collab_engine ENVIRONMENT engine_environment)
set_tests_properties(unit.collab_engine_three PROPERTIES LABELS unit TIMEOUT 120)
if(engine_environment)
  set_tests_properties(unit.collab_engine_three PROPERTIES ENVIRONMENT "${engine_environment}")
endif()
set(bus ${CMAKE_SOURCE_DIR}/tests/unit/bus)
um_unit_test(collab_bus SOURCES ${bus}/test_bus.c ${bus}/test_stories.c ${bus}/test_sim.c ${bus}/world.c ${bus}/world_broker.c
             ${bus}/world_store.c ${bus}/world_fakes.c ${bus}/actor.c ${collab}/bench.c
             LINK um_collab INCLUDES ${CMAKE_SOURCE_DIR}/core/collab ${collab})
um_unit_test(bus_wire SOURCES ${bus}/test_wire.c LINK um_collab INCLUDES ${CMAKE_SOURCE_DIR}/core/collab)
um_unit_test(bus_tail SOURCES ${bus}/test_tail.c LINK um_collab INCLUDES ${CMAKE_SOURCE_DIR}/core/collab)
