um_fuzz(model_yaml SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_model_yaml.c LINK um_model_yaml
  CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/model_yaml)
um_fuzz(model SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_model.c LINK um_model CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/model)
um_fuzz(model_xml SOURCES ${CMAKE_SOURCE_DIR}/tests/fuzz/fuzz_model.c LINK um_model
  CORPUS ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/model_xml)
if(UMBEL_FUZZ)
  target_compile_definitions(fuzz_model_xml PRIVATE MODEL_XML)
endif()
