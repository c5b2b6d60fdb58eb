#include "api_tests.h"

int main(void) { return rows_group() + requests_group(); }
