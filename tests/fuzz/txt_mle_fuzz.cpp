// SPDX-License-Identifier: Apache-2.0
// tboot's file: unpacking and reading it end, and what is measured is never larger than the image may be. References of a launch: what
// is read is written back to the same.
#include "attest/txt/mle_hash.hpp"
#include "attest/txt/reference.hpp"

#include <cstdlib>

using namespace casemate;
using namespace casemate::txt;

namespace {

void check_reference(ByteView text) {
    const auto document = verifier::parse_object({reinterpret_cast<const char*>(text.data()), text.size()});
    if (!document) return;
    const auto reference = Reference::parse(document.value());
    if (!reference) return;
    const auto again = Reference::parse(reference.value().json());
    if (!again || again.value().json() != reference.value().json()) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ByteView bytes{data, size};
    check_reference(bytes);
    const auto elf = unpacked(bytes);
    if (!elf) return 0;
    std::string why;
    const auto mle = measured_mle(*elf, "logging=serial", why);
    if (mle.has_value() != why.empty() || (mle && mle->bytes.size() > 64 * 1024 * 1024)) std::abort();
    return 0;
}
