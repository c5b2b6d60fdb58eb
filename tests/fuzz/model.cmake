um_fuzz(model_yaml SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_model_yaml.c LINK um_model_yaml
  CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/model_yaml)
