// SPDX-License-Identifier: Apache-2.0
// The exported trail, checked without the verifier: an intact one passes; one that was changed, cut, reordered, forked or signed by
// somebody else is found, at the row where it happened.
#include <catch2/catch.hpp>

#include "attest/audit/trail_check.hpp"
#include "attest/verifier/encoding.hpp"

using namespace casemate;
using namespace casemate::audit;

namespace {

cose::Signer new_key() {
    auto key = cose::Signer::generate();
    REQUIRE(key.ok());
    return std::move(key).value();
}

SignedCheckpoint signed_head(const Head& head, const cose::Signer& key) {
    auto message = sign({head, 1'800'000'000'000}, key);
    REQUIRE(message.ok());
    return std::move(message).value();
}

/// The lines of an export: rows 1 to `rows`, a checkpoint behind every `interval`th.
struct Trail {
    cose::Signer key = new_key();
    Head head;
    std::vector<std::string> lines;
    std::vector<SignedCheckpoint> checkpoints;

    void grow(int rows, int interval, const std::string& outcome = "affirming") {
        for (int i = 0; i < rows; ++i) {
            add(line_of(chain(head, {1000 + head.sequence, std::string(64, 'a'), "verdict", "c" + std::to_string(head.sequence),
                                     outcome, "evidence \"quoted\" \\ ; DROP TABLE audit; --"})));
            if (head.sequence % interval != 0) continue;
            checkpoints.push_back(signed_head(head, key));
            add(line_of(checkpoints.back()));
        }
    }
    void add(std::string line) {
        line.pop_back(); // the newline
        lines.push_back(std::move(line));
    }
    [[nodiscard]] TrailReport check() const { return check_with(key, {}); }
    [[nodiscard]] TrailReport check_with(const cose::Signer& by, const std::vector<std::string>& expected) const {
        TrailCheck check{measure::P256PublicKey::create(by.public_key()).value()};
        for (const std::string& line : lines) check.line(line);
        for (const std::string& line : expected) check.expect(line);
        return check.finish();
    }
};

bool finds(const TrailReport& report, Flaw flaw, std::int64_t row) {
    for (const Problem& problem : report.problems)
        if (problem.flaw == flaw && problem.row == row) return true;
    return false;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

} // namespace

TEST_CASE("an intact trail passes, and says how far it is signed", "[audit]") {
    Trail trail;
    trail.grow(25, 10);
    const TrailReport report = trail.check();
    CHECK(report.intact());
    CHECK(report.rows == 25);
    CHECK(report.checkpoints == 2);
    CHECK(report.signed_until == 20);
    CHECK(report.signed_at == 1'800'000'000'000);
}

TEST_CASE("a row's hash is that of its documented encoding", "[audit]") {
    // Made by hand from docs/interfaces/audit.md with Python's cbor2 and hashlib.
    Head head;
    const ChainedRow first = chain(head, {1000, "operator", "revoke", "ab", "done", "0000:00:03.0"});
    CHECK(verifier::to_hex(first.hash) == "36485aa570413db72fba6aa160f59163c81afaed1aff2a41503c25f4e0205bdc");
    const ChainedRow second = chain(head, {-1, "", "", "", "", ""});
    CHECK(verifier::to_hex(second.hash) == "d5168861b7ca33099515778e6421df106ec0dc36bd96f6b1daa60a69f7167b34");
}

TEST_CASE("every field of every row is covered by the chain", "[audit]") {
    Trail trail;
    trail.grow(3, 3);
    const auto change = [&](std::string_view from, std::string_view to) {
        Trail bent = trail;
        bent.lines[1] = replaced(bent.lines[1], from, to);
        CAPTURE(bent.lines[1]);
        CHECK(finds(bent.check(), Flaw::hash, 2));
    };
    change("\"at\":1001", "\"at\":1002");
    change("aaa\"", "aab\"");
    change("verdict", "verdicT");
    change("\"c1\"", "\"c2\"");
    change("affirming", "contraindicated");
    change("DROP", "drop");
}

TEST_CASE("a changed row with all later hashes made anew is found by the checkpoint", "[audit]") {
    Trail honest;
    honest.grow(10, 5);
    Trail forged;
    forged.key = honest.key;
    forged.grow(5, 100, "contraindicated");
    forged.grow(5, 100);
    forged.add(line_of(honest.checkpoints[0]));
    forged.add(line_of(honest.checkpoints[1]));
    const TrailReport report = forged.check();
    CHECK(finds(report, Flaw::forked, 5));
    CHECK(finds(report, Flaw::forked, 10));
    CHECK(report.signed_until == 0);
}

TEST_CASE("a removed, moved, doubled or added row is found where it is", "[audit]") {
    Trail trail;
    trail.grow(9, 9);
    SECTION("removed") {
        trail.lines.erase(trail.lines.begin() + 3);
        const TrailReport report = trail.check();
        CHECK(finds(report, Flaw::sequence, 5));
        CHECK(finds(report, Flaw::hash, 5));
        CHECK(finds(report, Flaw::truncated, 9));
    }
    SECTION("moved") {
        std::swap(trail.lines[3], trail.lines[4]);
        CHECK(finds(trail.check(), Flaw::sequence, 5));
        CHECK(finds(trail.check(), Flaw::sequence, 4));
    }
    SECTION("doubled") {
        trail.lines.insert(trail.lines.begin() + 3, trail.lines[3]);
        CHECK(finds(trail.check(), Flaw::sequence, 4));
    }
    SECTION("the first one removed") {
        trail.lines.erase(trail.lines.begin());
        CHECK(finds(trail.check(), Flaw::sequence, 2));
    }
    SECTION("added in the middle, with a hash that fits") {
        Trail short_one;
        short_one.grow(3, 100);
        Head head = short_one.head;
        std::string line = line_of(chain(head, {1, "operator", "release", "x", "done", ""}));
        line.pop_back();
        trail.lines.insert(trail.lines.begin() + 3, line);
        const TrailReport report = trail.check();
        CHECK_FALSE(finds(report, Flaw::hash, 4 - 1));
        CHECK(finds(report, Flaw::sequence, 4));
    }
}

TEST_CASE("a trail that was cut is found by a newer checkpoint, in the file or from elsewhere", "[audit]") {
    Trail trail;
    trail.grow(20, 10);
    SECTION("rows cut off, the checkpoint left") {
        trail.lines.erase(trail.lines.end() - 3, trail.lines.end() - 1);
        const TrailReport report = trail.check();
        CHECK(finds(report, Flaw::truncated, 20));
        CHECK(report.signed_until == 10);
    }
    SECTION("rows and checkpoint cut off: only who kept the checkpoint can tell") {
        std::string kept = trail.lines.back();
        trail.lines.resize(11);
        CHECK(trail.check().intact());
        CHECK(finds(trail.check_with(trail.key, {kept}), Flaw::truncated, 20));
    }
    SECTION("an earlier export is continued") {
        const std::vector<std::string> earlier = trail.lines;
        trail.grow(5, 100);
        CHECK(trail.check_with(trail.key, earlier).intact());
    }
    SECTION("everything cut off") {
        trail.lines.clear();
        CHECK(finds(trail.check(), Flaw::unsigned_trail, 0));
    }
}

TEST_CASE("two histories under one key are found as a fork", "[audit]") {
    Trail one;
    one.grow(10, 10);
    Trail other = one;
    one.grow(10, 10);
    other.grow(10, 10, "contraindicated"); // as after a restored backup
    CHECK(one.check().intact());
    CHECK(other.check().intact());
    CHECK(finds(one.check_with(one.key, other.lines), Flaw::forked, 20));
    one.add(line_of(other.checkpoints.back()));
    CHECK(finds(one.check(), Flaw::forked, 20));
}

TEST_CASE("a checkpoint counts under the audit key and as a checkpoint only", "[audit]") {
    Trail trail;
    trail.grow(4, 4);
    CHECK(finds(trail.check_with(new_key(), {}), Flaw::checkpoint_signature, 4));
    SECTION("another message under the same key") {
        const verifier::Bytes header{0xA1, 0x01, 0x26}; // {1: -7}, no content type
        const auto other = trail.key.sign_message(header, verifier::Bytes{0xA0});
        trail.add(line_of(other.value()));
        CHECK(finds(trail.check(), Flaw::checkpoint_malformed, 4));
    }
    SECTION("every bit of the message") {
        const SignedCheckpoint good = trail.checkpoints[0];
        const measure::P256PublicKey key = measure::P256PublicKey::create(trail.key.public_key()).value();
        REQUIRE(verify(good, key).ok());
        for (std::size_t bit = 0; bit < good.size() * 8; bit += 5) {
            SignedCheckpoint bent = good;
            bent[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
            CHECK_FALSE(verify(bent, key).ok());
        }
        for (std::size_t size = 0; size < good.size(); ++size)
            CHECK_FALSE(verify(ByteView{good}.first(size), key).ok());
    }
    SECTION("none at all") {
        trail.lines.pop_back();
        CHECK(finds(trail.check(), Flaw::unsigned_trail, 4));
    }
}

TEST_CASE("an entry has one spelling", "[audit]") {
    Trail trail;
    trail.grow(1, 1);
    const std::string row = trail.lines[0];
    const std::string checkpoint = trail.lines[1];
    REQUIRE(read_line(row));
    REQUIRE(read_line(checkpoint));
    for (const std::string& line :
         {std::string{}, row + " ", " " + row, row + "\r", replaced(row, ",", ", "), replaced(row, "\"at\":1000", "\"at\":1000.0"),
          replaced(row, "\"at\":1000", "\"at\":\"1000\""), replaced(row, "\"at\"", "\"aT\""),
          replaced(row, "verdict", "verd\\u0069ct"), replaced(row, "verdict", "verd\\u0000ct"), replaced(row, "verdict", "verdict\xC3\xA9"),
          replaced(row, "{", "{\"extra\":1,"), replaced(row, "{", "{\"at\":1000,"), replaced(row, "verdict", std::string(200, 'v')),
          replaced(checkpoint, "\"}", "=\"}"), replaced(checkpoint, "}", ",\"sequence\":1}"), std::string(70'000, '['),
          std::string{"{\"checkpoint\":5}"}, std::string{"[]"}, std::string{"null"}}) {
        CAPTURE(line.substr(0, 300));
        CHECK_FALSE(read_line(line));
    }
    for (std::size_t size = 0; size < row.size(); ++size) CHECK_FALSE(read_line(row.substr(0, size)));
    trail.lines.insert(trail.lines.begin() + 1, "{}");
    const TrailReport report = trail.check();
    REQUIRE(report.problems.size() == 1);
    CHECK(report.problems[0].flaw == Flaw::line);
    CHECK(report.problems[0].line == 2);
}

TEST_CASE("what goes into a trail is printable and bounded", "[audit]") {
    Head head;
    const ChainedRow row = chain(head, {1, std::string(500, 'a'), "a\nb", std::string("n\0l", 3), "\xFF\x7F", std::string(5000, 'd')});
    CHECK(is_clean(row.row));
    CHECK(row.row.actor.size() == max_word);
    CHECK(row.row.action == "a?b");
    CHECK(row.row.object == "n?l");
    CHECK(row.row.outcome == "??");
    CHECK(row.row.detail.size() == max_detail);
    CHECK(read_line(std::string_view{line_of(row)}.substr(0, line_of(row).size() - 1)));
}

TEST_CASE("a trail with many problems reports a bounded number of them", "[audit]") {
    TrailCheck check{measure::P256PublicKey::create(new_key().public_key()).value()};
    for (int i = 0; i < 1000; ++i) check.line("nonsense");
    CHECK(check.finish().problems.size() == TrailCheck::max_problems);
}
