// SPDX-License-Identifier: Apache-2.0
// See quote_proof.hpp: PCR values beside a quote. UNTRUSTED until their digest is the quote's.
#include "attest/txt/quote_proof.hpp"

#include "attest/verifier/encoding.hpp"

#include <algorithm>
#include <map>
#include <sstream>

namespace casemate::txt {

namespace {

using measure::TPM_ALG_ID;
using Values = std::map<std::pair<TPM_ALG_ID, std::uint32_t>, verifier::Bytes>;

std::optional<TPM_ALG_ID> bank_named(std::string_view name) {
    for (const TPM_ALG_ID bank : {TPM_ALG_ID::SHA1, TPM_ALG_ID::SHA256, TPM_ALG_ID::SHA384, TPM_ALG_ID::SHA512})
        if (name == measure::name_of(bank)) return bank;
    return std::nullopt;
}

std::string without_spaces(std::string line) {
    std::erase_if(line, [](char letter) { return letter == ' ' || letter == '\t' || letter == '\r'; });
    return line;
}

/// "sha256:" begins a bank, "17: 0x..." is a PCR of it.
Values read_text(const std::string& text) {
    Values values;
    std::optional<TPM_ALG_ID> bank;
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
        line = without_spaces(line);
        const std::size_t colon = line.find(':');
        if (colon == std::string::npos) continue;
        const std::string name = line.substr(0, colon);
        std::string value = line.substr(colon + 1);
        if (value.empty()) {
            bank = bank_named(name);
            continue;
        }
        const bool pcr = !name.empty() && name.size() <= 2 && std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
        if (!bank || !pcr || !value.starts_with("0x")) continue;
        value.erase(0, 2);
        for (char& letter : value) letter = static_cast<char>(letter >= 'A' && letter <= 'F' ? letter + ('a' - 'A') : letter);
        if (auto bytes = verifier::from_hex(value)) values[{*bank, static_cast<std::uint32_t>(std::stoul(name))}] = *std::move(bytes);
    }
    return values;
}

bool is_text(ByteView file) {
    return std::all_of(file.begin(), file.end(), [](std::uint8_t byte) { return (byte >= 0x20 && byte < 0x7f) || (byte >= 9 && byte <= 13); });
}

} // namespace

std::optional<verifier::Bytes> quoted_values(ByteView file, const attest::TPML_PCR_SELECTION& selections) {
    constexpr std::size_t limit = 64 * 1024;
    if (file.size() > limit) return std::nullopt;
    if (!is_text(file)) return verifier::to_bytes(file);
    const Values values = read_text({file.begin(), file.end()});
    verifier::Bytes ordered;
    for (const attest::PcrSelection& selection : selections) {
        for (std::uint32_t pcr = 0; pcr < 32; ++pcr) {
            if ((selection.pcrs >> pcr & 1) == 0) continue;
            const auto value = values.find({selection.bank, pcr});
            if (value == values.end() || value->second.size() != measure::digest_size(selection.bank)) return std::nullopt;
            ordered.insert(ordered.end(), value->second.begin(), value->second.end());
        }
    }
    return ordered;
}

} // namespace casemate::txt
