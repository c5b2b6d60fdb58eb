/* What every unit test includes: cmocka with its prerequisites. */
#ifndef UM_TEST_H
#define UM_TEST_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#endif
