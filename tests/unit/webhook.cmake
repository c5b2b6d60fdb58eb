um_unit_test(webhook_begin SOURCES ${CMAKE_SOURCE_DIR}/tests/unit/webhook/test_begin.c LINK um_webhook
  INCLUDES ${CMAKE_SOURCE_DIR}/core/webhook)
