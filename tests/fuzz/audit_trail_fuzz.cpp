// SPDX-License-Identifier: Apache-2.0
// The offline check of an exported audit trail on arbitrary lines, and checkpoints on arbitrary bytes: no crash, and what is
// accepted has one spelling.
#include <cstdlib>

#include "attest/audit/trail_check.hpp"

using namespace casemate;

namespace {

const measure::P256PublicKey& key() {
    static const measure::P256PublicKey one =
        measure::P256PublicKey::create(cose::Signer::generate().value().public_key()).value();
    return one;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // SAFETY: char and std::uint8_t alias.
    std::string_view text{reinterpret_cast<const char*>(data), size};
    if (audit::verify({data, size}, key()).ok()) std::abort(); // nobody knows this key
    audit::TrailCheck check{key()};
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        if (const auto entry = audit::read_line(line)) {
            const std::string again = std::visit([](const auto& one) { return audit::line_of(one); }, *entry);
            if (again.substr(0, again.size() - 1) != line) std::abort();
        }
        check.line(line);
        text.remove_prefix(std::min(text.size(), line.size() + 1));
    }
    if (check.finish().intact()) std::abort(); // without a checkpoint nothing is proved
    return 0;
}
