// SPDX-License-Identifier: Apache-2.0
// See owners_file.hpp.
#include "policy/compiler/owners_file.hpp"

#include "dlaunch/measure/hex.hpp"
#include "policy/compiler/plain_toml.hpp"
#include "policy/compiler/toml_fields.hpp"

#include <algorithm>

namespace casemate::policy {
namespace {

constexpr std::size_t max_file = 64 * 1024;

class Reader {
public:
    Reader(const toml::table& table, const ReadCertificate& read, std::int64_t now, Owners& owners)
        : fields_{table, owners.problems}, read_{read}, now_{now}, owners_{owners} {
        if (table.contains("revoked")) revoked_ = fields_.texts("revoked");
    }

    void run() {
        owners_.threshold = static_cast<std::uint8_t>(fields_.number_up_to("threshold", max_owners));
        const std::vector<std::string> names = fields_.texts("owners");
        if (names.empty() || names.size() > max_owners) return fields_.bad("owners", "a set has 1 to 5 owners");
        for (const std::string& name : names) take("owners", name, owners_.members.emplace_back());
        take("approval_key", fields_.text("approval_key"), owners_.approval);
        check_set();
    }

private:
    void take(const char* field, const std::string& name, cose::KeyCertificate& certificate) {
        const auto wrong = [&](const std::string& what) { fields_.bad(field, name + ": " + what); };
        const auto der = read_(name);
        if (!der.ok()) return wrong(cose::describe(der.error()));
        const auto parsed = cose::parse_key_certificate(der.value());
        if (!parsed.ok()) return wrong(cose::describe(parsed.error()));
        certificate = parsed.value();
        const std::string late = cose::out_of_date(certificate, now_);
        if (!late.empty()) return wrong("the key " + late);
        const std::string id = measure::to_hex(cose::key_id(certificate.key));
        if (std::find(revoked_.begin(), revoked_.end(), id) != revoked_.end()) wrong("the key is revoked");
    }

    void check_set() {
        if (!owners_.problems.empty()) return;
        std::sort(owners_.members.begin(), owners_.members.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
        const auto same = [](const auto& a, const auto& b) { return a.key == b.key; };
        if (std::adjacent_find(owners_.members.begin(), owners_.members.end(), same) != owners_.members.end())
            return fields_.bad("owners", "the same key twice");
        if (owners_.threshold < 1 || owners_.threshold > owners_.members.size())
            return fields_.bad("threshold", "the threshold is 1 at least, and the number of owners at most");
        if (owners_.members.size() == 1 && owners_.approval.key != owners_.members[0].key)
            return fields_.bad("approval_key", "of one owner it is his own key");
    }

    Fields fields_;
    const ReadCertificate& read_;
    const std::int64_t now_;
    Owners& owners_;
    std::vector<std::string> revoked_;
};

} // namespace

std::vector<std::uint8_t> Owners::encoded() const {
    std::vector<std::uint8_t> bytes;
    const auto add = [&](const cose::KeyCertificate& each) { bytes.insert(bytes.end(), each.key.begin(), each.key.end()); };
    if (members.size() > 1) bytes.push_back(threshold), add(approval);
    for (const cose::KeyCertificate& each : members) add(each);
    return bytes;
}

Owners read_owners(std::string_view text, const ReadCertificate& read, std::int64_t now) {
    Owners owners;
    if (const auto table = parse_plain(text, max_file, owners.problems)) Reader{*table, read, now, owners}.run();
    return owners;
}

} // namespace casemate::policy
