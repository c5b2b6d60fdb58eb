set(jobs ${CMAKE_SOURCE_DIR}/tests/unit/jobs)
foreach(name IN ITEMS rows random engine)
  um_unit_test(jobs_${name} SOURCES ${jobs}/test_${name}.c ${jobs}/jobs_rig.c LINK um_jobs INCLUDES ${jobs} ${CMAKE_SOURCE_DIR}/core/jobs)
endforeach()
