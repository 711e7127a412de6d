// SPDX-License-Identifier: Apache-2.0
// The operator's page: the files of attest/verifier/page, in the program since its build (embed.cmake). They hold nothing secret and are
// for anyone; what they show comes from the API, with the operator's own token or certificate.
// Called by the router, and by tests.
#pragma once

#include <string_view>

#include "attest/verifier/http_server.hpp"

namespace casemate::verifier {

struct PageFile {
    std::string_view path; // of the request: "/", "/page/app.js"
    std::string_view type;
    std::string_view content;
};

/// Nothing: no such file, or it is "/" and who asks is no browser (`accept` does not name text/html): programs are told that there is no such
/// path.
[[nodiscard]] const PageFile* page_file(std::string_view path, std::string_view accept);

/// The file, or 304 when the client has it: its tag, a digest of the content, is one of `if_none_match`.
[[nodiscard]] HttpAnswer answer_of(const PageFile& file, std::string_view if_none_match);

} // namespace casemate::verifier
