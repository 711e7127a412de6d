// SPDX-License-Identifier: Apache-2.0
// See page.hpp.
#include "attest/verifier/page.hpp"

#include "attest/verifier/crypto.hpp"
#include "attest/verifier/encoding.hpp"
#include "attest/verifier/page_files.hpp"

namespace casemate::verifier {
namespace {

/// Scripts and styles are files of this origin and nothing else; no frame, no form that is sent, no text that becomes a script.
constexpr const char* policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

constexpr std::size_t tag_size = 16; // bytes of the digest

std::string tag_of(const PageFile& file) {
    const Sha256 digest = sha256(as_bytes(file.content));
    return "\"" + to_hex(ByteView{digest}.first(tag_size)) + "\"";
}

} // namespace

const PageFile* page_file(std::string_view path, std::string_view accept) {
    if (path == "/" && accept.find("text/html") == std::string_view::npos) return nullptr;
    for (const PageFile& file : page_files())
        if (file.path == path) return &file;
    return nullptr;
}

HttpAnswer answer_of(const PageFile& file, std::string_view if_none_match) {
    const std::string tag = tag_of(file);
    HttpAnswer answer{200, std::string{file.content}, std::string{file.type},
                      {{"ETag", tag}, {"Cache-Control", "no-cache"}, {"Content-Security-Policy", policy},
                       {"Cross-Origin-Opener-Policy", "same-origin"}, {"Vary", "Accept"}}};
    if (if_none_match.find(tag) == std::string_view::npos) return answer;
    answer.status = 304;
    answer.body.clear();
    answer.content_type.clear();
    return answer;
}

} // namespace casemate::verifier
