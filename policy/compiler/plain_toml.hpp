// SPDX-License-Identifier: Apache-2.0
// The one way from an owner's text to a TOML table: printable ASCII, line ends and tabs only, so that what a reviewer sees is what is there,
// and the library's decoder of other text is never reached. Called for policy sources and owners' files.
#pragma once

#include "policy/compiler/toml_library.hpp"
#include "policy/compiler/toml_source.hpp"

namespace casemate::policy {

/// Nothing after a problem was reported: a character that is not plain, with its line and column, a text longer than `limit`, or no TOML.
[[nodiscard]] std::optional<toml::table> parse_plain(std::string_view text, std::size_t limit, std::vector<Problem>& problems);

} // namespace casemate::policy
