// SPDX-License-Identifier: Apache-2.0
// See row.hpp.
#include "attest/audit/row.hpp"

#include <algorithm>

#include "dlaunch/measure/crypto.hpp"
#include "hypervisor/base/cbor_writer.hpp"
#include "hypervisor/base/check.hpp"

namespace casemate::audit {
namespace {

constexpr std::size_t max_encoded = 4 * (max_word + 3) + max_detail + 3 + 2 * 9 + 1;

bool printable(char c) { return c >= 0x20 && c < 0x7f; }

void clean_text(std::string& text, std::size_t limit) {
    if (text.size() > limit) text.resize(limit);
    std::replace_if(text.begin(), text.end(), [](char c) { return !printable(c); }, '?');
}

bool is_clean_text(const std::string& text, std::size_t limit) {
    return text.size() <= limit && std::all_of(text.begin(), text.end(), printable);
}

} // namespace

Hash row_hash(const Hash& previous, std::int64_t sequence, const Row& row) {
    CHECK(is_clean(row));
    std::array<std::uint8_t, max_encoded> buffer;
    CborWriter out{buffer};
    out.array(7);
    out.integer(sequence);
    out.integer(row.at);
    for (const std::string* text : {&row.actor, &row.action, &row.object, &row.outcome, &row.detail}) out.text(*text);
    CHECK(out.ok());
    measure::Hasher hasher{measure::TPM_ALG_ID::SHA256};
    hasher.update(previous);
    hasher.update(out.written());
    Hash hash{};
    const measure::Digest digest = hasher.finish();
    std::copy_n(digest.view().begin(), hash.size(), hash.begin());
    return hash;
}

Row clean(Row row) {
    for (std::string* text : {&row.actor, &row.action, &row.object, &row.outcome}) clean_text(*text, max_word);
    clean_text(row.detail, max_detail);
    return row;
}

bool is_clean(const Row& row) {
    return is_clean_text(row.actor, max_word) && is_clean_text(row.action, max_word) &&
           is_clean_text(row.object, max_word) && is_clean_text(row.outcome, max_word) &&
           is_clean_text(row.detail, max_detail);
}

ChainedRow chain(Head& head, Row row) {
    ChainedRow next{head.sequence + 1, clean(std::move(row)), {}};
    next.hash = row_hash(head.hash, next.sequence, next.row);
    head = {next.sequence, next.hash};
    return next;
}

} // namespace casemate::audit
