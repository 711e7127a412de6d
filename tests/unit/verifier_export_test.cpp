// SPDX-License-Identifier: Apache-2.0
// The audit trail over the API: its pages, joined, are the file that the offline check accepts; only an owner gets it.
#include <catch2/catch.hpp>

#include <algorithm>
#include <sstream>

#include "attest/audit/trail_file.hpp"
#include "tests/unit/verifier_fixture.hpp"

using namespace casemate;
using namespace casemate::test;

namespace {

struct Scene {
    TestVerifier verifier;
    cose::Signer audit_key = new_signer();
    Scene() {
        verifier.store->sign_checkpoints({3, [this](const audit::Checkpoint& checkpoint) { return audit::sign(checkpoint, audit_key).value(); }});
        for (int i = 0; i < 10; ++i) verifier.store->audit({i, "a", "b", std::to_string(i), "done", "\"quoted\" and \xff"});
    }
    Reply page(const Json& body) { return verifier.as_operator("POST", "/v1/audit/export", body.dump()); }
};

std::string joined(const Json& lines) {
    std::string all;
    for (const Json& line : lines) all += line.get<std::string>();
    return all;
}

} // namespace

TEST_CASE("the pages of the trail, joined, are the file that the offline check finds intact", "[verifier][export]") {
    Scene scene;
    for (const int limit : {1, 4, 1000}) {
        std::string file;
        std::int64_t last = 0;
        for (;;) {
            const Reply page = scene.page({{"after", last}, {"limit", limit}});
            REQUIRE(page.status == 200);
            CHECK(page.body["head"] == 10);
            if (page.body["lines"].empty()) break;
            file += joined(page.body["lines"]);
            last = page.body["last"];
        }
        CHECK(last == 10);
        std::int64_t whole = 0;
        std::string expected;
        for (const std::string& line : verifier::trail_lines(*scene.verifier.store, whole, 1000)) expected += line;
        CHECK(file == expected);
        CHECK(std::count(file.begin(), file.end(), '\n') == 13); // ten rows, checkpoints at 3, 6 and 9
        std::istringstream text{file};
        std::vector<audit::Entry> entries;
        for (std::string line; std::getline(text, line);) {
            const auto entry = audit::read_line(line);
            REQUIRE(entry);
            entries.push_back(*entry);
        }
        CHECK(std::get<audit::ChainedRow>(entries.front()).sequence == 1);
    }
    // Reading left no row.
    CHECK(scene.verifier.store->audit_head().sequence == 10);
}

TEST_CASE("a page beyond the head is empty, and strange numbers are refused", "[verifier][export]") {
    Scene scene;
    const Reply beyond = scene.page({{"after", 999'999}});
    CHECK(beyond.body["lines"].empty());
    CHECK(beyond.body["last"] == 999'999);
    for (const Json& body : {Json::object(), Json{{"after", -1}}, Json{{"after", "0"}}, Json{{"after", 0.5}}, Json{{"after", nullptr}},
                             Json{{"after", 1'000'000'000'000'000'000}}, Json{{"after", 0}, {"limit", 0}}, Json{{"after", 0}, {"limit", 1001}},
                             Json{{"after", 0}, {"colour", 1}}})
        CHECK(scene.page(body).code() == "export");
    for (const char digit : {'1', '2'}) CHECK(scene.verifier.with_certificate(digit, "POST", "/v1/audit/export", R"({"after":0})").code() == "role");
}
