// SPDX-License-Identifier: Apache-2.0
// Catch2's own main(); it fails when a filter selects no test.
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
