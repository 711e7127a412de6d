// SPDX-License-Identifier: Apache-2.0
// toml++ 3.3, with its assumptions checked. It assumes some things of a text that no text has to keep ("[#" is enough), asserts them in a debug
// build, and in a release build tells the compiler that they hold: undefined behaviour (docs/adr/0032). Here a broken one is an exception, in
// every build; so the library is compiled with us, and Debian's shared one is not used.
// The only way to include it: all files of a program must see it alike.
#pragma once

namespace casemate::policy {

/// The text is one that the library was not made for.
struct TomlAssumption {};

[[noreturn]] inline void break_toml_assumption() { throw TomlAssumption{}; }

} // namespace casemate::policy

#define TOML_HEADER_ONLY 1
#define TOML_ASSERT(expr) ((expr) ? static_cast<void>(0) : ::casemate::policy::break_toml_assumption())
#pragma push_macro("NDEBUG")
#undef NDEBUG // or TOML_ASSERT_ASSUME checks nothing
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")
