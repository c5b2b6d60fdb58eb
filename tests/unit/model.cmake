um_unit_test(model_yaml SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/model/test_yaml.c LINK um_model_yaml)
um_unit_test(model SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/model/test_model.c LINK um_model_files
  INCLUDES ${CMAKE_SOURCE_DIR}/core/model)
