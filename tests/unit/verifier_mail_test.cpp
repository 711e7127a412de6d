// SPDX-License-Identifier: Apache-2.0
// What an agent without a relay has the service for: its status report, operator's orders and sealed secrets; who may, how much, and how
// an order lives. (Roles of every route: verifier_roles_test.cpp.)
#include <catch2/catch.hpp>

#include "tests/unit/verifier_fixture.hpp"

using namespace casemate;
using namespace casemate::test;

namespace {

Json secret(const std::string& vm, const std::string& name, std::size_t size = 3, std::size_t approvals = 1) {
    const std::string text = verifier::to_base64(Bytes(size, 7));
    return {{"vm", vm}, {"name", name}, {"sealed", text}, {"approvals", std::vector<std::string>(approvals, text)}};
}

Json told(std::initializer_list<std::pair<int, int>> results) {
    Json list = Json::array();
    for (const auto& [id, error] : results) list.push_back({{"id", id}, {"error", error}});
    return {{"agent", {{"operator_orders", list}}}};
}

struct Scene {
    TestVerifier verifier;
    std::unique_ptr<Platform> mine = verifier.platform('a');
    std::unique_ptr<Platform> other = verifier.platform('b');

    static std::string at(const Platform& of, const char* rest) { return "/v1/platforms/" + of.id + rest; }
    Reply report(const Platform& from, const Json& body = {{"vms", Json::array()}}) {
        return verifier.call("POST", at(from, "/status"), from.token, body.dump());
    }
    Reply report(const Json& body = {{"vms", Json::array()}}) { return report(*mine, body); }
    Reply status() { return verifier.with_certificate('1', "GET", at(*mine, "/status")); }
    Reply order(const Json& body = {{"vm", "disk0"}, {"order", "stop"}}) {
        return verifier.with_certificate('2', "POST", at(*mine, "/operator-orders"), body.dump());
    }
    Json orders() { return verifier.with_certificate('1', "GET", at(*mine, "/operator-orders")).body["orders"]; }
    Reply withdraw() { return verifier.with_certificate('2', "POST", at(*mine, "/operator-orders/withdrawal")); }
    Reply store(const Json& secrets) {
        return verifier.with_certificate('3', "POST", at(*mine, "/secrets"), Json{{"secrets", secrets}}.dump());
    }
    Json fetch(const Platform& by) { return verifier.call("GET", at(by, "/secrets"), by.token).body; }
    Reply take_out(const char* how) { return verifier.as_operator("POST", at(*mine, how)); }
    std::string newest_row() {
        const store::AuditRow row = verifier.store->audit_rows(1).at(0);
        return row.actor + " " + row.action + " " + row.object + " " + row.outcome + " " + row.detail;
    }
};

/// The ids that a report's answer offers.
std::string offered(const Reply& reply) {
    REQUIRE(reply.status == 200);
    std::string ids;
    for (const Json& order : reply.body.value("orders", Json::array())) ids += std::to_string(order["id"].get<int>()) + " ";
    return ids;
}

} // namespace

TEST_CASE("a viewer sees the newest status report with the time it came, and why there is none", "[verifier][mail]") {
    Scene scene;
    CHECK(scene.status().status == 404);
    CHECK(scene.status().code() == "status_unknown");
    CHECK(scene.verifier.as_operator("GET", "/v1/platforms/" + std::string(64, 'e') + "/status").code() == "platform_unknown");
    const auto rows = scene.verifier.store->audit_head().sequence;
    CHECK(scene.report({{"uptime_ms", 1}}).body == Json::object());
    scene.verifier.now += 2000;
    const Json report = Json::parse(R"({"uptime_ms":2001,"text":"a\u00e9\u0000"})");
    CHECK(scene.report(report).status == 200);
    CHECK(scene.report(*scene.other, {{"uptime_ms", 7}}).status == 200);
    CHECK(scene.verifier.store->audit_head().sequence == rows); // a report is no decision
    const Reply seen = scene.status();
    CHECK(seen.body["platform_id"] == scene.mine->id);
    CHECK(seen.body["at"] == scene.verifier.now);
    CHECK(seen.body["report"] == report);
}

TEST_CASE("a status report is an object of bounded size and depth, and one that is refused leaves the one before", "[verifier][mail]") {
    Scene scene;
    constexpr std::size_t most = verifier::PlatformMail::max_report;
    const auto send = [&](const std::string& body) { return scene.verifier.call("POST", Scene::at(*scene.mine, "/status"), scene.mine->token, body); };
    const auto padded = [](std::size_t size) { return R"({"x":")" + std::string(size - 8, 'x') + R"("})"; };
    CHECK(send(padded(most)).status == 200);
    CHECK(send(padded(most + 1)).status == 413);
    CHECK(send(padded(most + 1)).code() == "report_size");
    for (const char* bad : {"", "[]", "{", R"({"a":1,"a":2})", R"({"a":[[[[[[[[1]]]]]]]]})"}) CHECK(send(bad).code() == "json");
    CHECK(scene.status().body["report"]["x"].get<std::string>().size() == most - 8);
}

TEST_CASE("an order waits until a report tells its result, and is never offered again", "[verifier][mail]") {
    Scene scene;
    CHECK(scene.order().body == Json{{"id", 1}});
    CHECK(scene.newest_row() == "oscar (operator) order " + scene.mine->id + " given 1: stop disk0");
    CHECK(scene.order({{"vm", "net0"}, {"order", "restart"}}).body["id"] == 2);
    const Reply first = scene.report();
    CHECK(first.body == Json::parse(R"({"orders":[{"id":1,"vm":"disk0","order":"stop"},{"id":2,"vm":"net0","order":"restart"}]})"));
    CHECK(offered(scene.report()) == "1 2 "); // its answer may have been lost
    CHECK(offered(scene.report(*scene.other)).empty());
    scene.verifier.now += 5;
    CHECK(offered(scene.report(told({{1, 4}}))) == "2 ");
    CHECK(offered(scene.report()) == "2 "); // an agent that began anew knows of none
    CHECK(scene.report(told({{2, 0}, {1, 0}})).body == Json::object());
    const Json all = scene.orders();
    REQUIRE(all.size() == 2);
    CHECK(all[0]["error"] == 4); // the first word counts
    CHECK(all[0]["state"] == "told");
    CHECK(all[0]["told_at"] == scene.verifier.now);
    CHECK(all[0]["given_by"] == "oscar");
    CHECK(all[1]["error"] == 0);
    CHECK(scene.order().body["id"] == 3);
}

TEST_CASE("results of another platform, or of another shape, are none of an order's", "[verifier][mail]") {
    Scene scene;
    REQUIRE(scene.order().status == 200);
    CHECK(scene.report(*scene.other, told({{1, 0}})).status == 200);
    for (const char* bad : {R"({"agent":7})", R"({"agent":{"operator_orders":7}})", R"({"agent":{"operator_orders":[7,null,[1]]}})",
                            R"({"agent":{"operator_orders":{"id":1,"error":0}}})", R"({"agent":{"operator_orders":[{"id":"1","error":0}]}})",
                            R"({"agent":{"operator_orders":[{"id":1}]}})", R"({"agent":{"operator_orders":[{"id":1,"error":-1}]}})",
                            R"({"agent":{"operator_orders":[{"id":1,"error":1.5}]}})", R"({"agent":{"operator_orders":[{"id":2,"error":0}]}})",
                            R"({"agent":{"operator_orders":[{"id":1,"error":18446744073709551615}]}})"})
        CHECK(offered(scene.report(Json::parse(bad))) == "1 ");
    CHECK_FALSE(scene.orders()[0].contains("error"));
}

TEST_CASE("an order that is none is refused, and so is one too many", "[verifier][mail]") {
    Scene scene;
    for (const Json& bad : {Json{{"vm", ""}, {"order", "stop"}}, Json{{"vm", "Disk0"}, {"order", "stop"}}, Json{{"vm", "a234567890123456"}, {"order", "stop"}},
                            Json{{"vm", "disk0\n"}, {"order", "stop"}}, Json{{"vm", "disk0"}, {"order", "dance"}}, Json{{"vm", "disk0"}, {"order", "stop"}, {"more", 1}}})
        CHECK(scene.order(bad).code() == "order");
    CHECK(scene.order({{"vm", "disk0"}}).code() == "member");
    CHECK(scene.order({{"vm", 7}, {"order", "stop"}}).code() == "member");
    const std::string unknown = "/v1/platforms/" + std::string(64, 'e') + "/operator-orders";
    CHECK(scene.verifier.as_operator("POST", unknown, R"({"vm":"a","order":"stop"})").code() == "platform_unknown");
    CHECK(scene.verifier.as_operator("GET", unknown).code() == "platform_unknown");
    CHECK(scene.verifier.as_operator("POST", unknown + "/withdrawal").code() == "platform_unknown");
    for (int i = 1; i <= verifier::PlatformMail::max_waiting_orders; ++i) CHECK(scene.order().body["id"] == i);
    CHECK(scene.order().status == 409);
    CHECK(scene.order().code() == "orders_waiting");
    CHECK(scene.report(told({{5, 0}})).status == 200);
    CHECK(scene.order().body["id"] == verifier::PlatformMail::max_waiting_orders + 1);
}

TEST_CASE("withdrawn orders are offered no more, and a result that comes late is told all the same", "[verifier][mail]") {
    Scene scene;
    REQUIRE(scene.order().status == 200);
    REQUIRE(scene.order().status == 200);
    CHECK(offered(scene.report()) == "1 2 ");
    CHECK(scene.withdraw().body == Json{{"withdrawn_orders", 2}});
    CHECK(scene.newest_row() == "oscar (operator) order " + scene.mine->id + " withdrawn 2 orders");
    CHECK(offered(scene.report()).empty());
    CHECK(scene.orders()[0]["state"] == "withdrawn");
    CHECK(scene.order().body["id"] == 3);
    CHECK(offered(scene.report(told({{1, 0}}))) == "3 ");
    CHECK(scene.orders()[0]["state"] == "told");
    CHECK(scene.orders()[1]["state"] == "withdrawn");
}

TEST_CASE("a platform out of service reports, and gets neither orders nor secrets", "[verifier][mail]") {
    Scene scene;
    const char* how = GENERATE("/quarantine", "/retirement");
    REQUIRE(scene.store(Json::array({secret("disk0", "volume-key")})).status == 200);
    REQUIRE(scene.order().status == 200);
    REQUIRE(scene.take_out(how).status == 200);
    CHECK(scene.report().body == Json::object());
    CHECK(scene.fetch(*scene.mine) == Json{{"secrets", Json::array()}});
    CHECK(scene.order().code() == "platform_state");
    CHECK(scene.status().status == 200);
    REQUIRE(scene.take_out("/reinstatement").status == 200);
    CHECK(scene.report().body == Json::object()); // orders of before are not obeyed now
    CHECK(scene.orders()[0]["state"] == "withdrawn");
    CHECK(scene.fetch(*scene.mine)["secrets"].size() == 1);
}

TEST_CASE("a platform's agent gets its own sealed secrets, replaced whole", "[verifier][mail]") {
    Scene scene;
    CHECK(scene.fetch(*scene.mine) == Json{{"secrets", Json::array()}});
    const Json first{secret("net0", "tunnel-key"), secret("disk0", "volume-key", 1536, 4)};
    CHECK(scene.store(first).body == Json{{"stored", 2}});
    CHECK(scene.newest_row() == "olga (owner) secrets " + scene.mine->id + " stored 2 of 2: net0/tunnel-key");
    CHECK(scene.fetch(*scene.mine) == Json{{"secrets", first}});
    CHECK(scene.fetch(*scene.other) == Json{{"secrets", Json::array()}});
    CHECK(scene.verifier.call("GET", Scene::at(*scene.mine, "/secrets"), scene.other->token).code() == "token_wrong");
    CHECK(scene.verifier.as_operator("GET", Scene::at(*scene.mine, "/secrets")).code() == "token_wrong"); // not even the owner reads them here
    CHECK(scene.store(Json::array({secret("net0", "other")})).body["stored"] == 1);
    CHECK(scene.fetch(*scene.mine)["secrets"].size() == 1);
    for (const store::AuditRow& row : scene.verifier.store->audit_rows(10)) CHECK(row.detail.find(first[0]["sealed"].get<std::string>()) == std::string::npos);
    CHECK(scene.store(Json::array()).body["stored"] == 0);
    CHECK(scene.newest_row() == "olga (owner) secrets " + scene.mine->id + " withdrawn ");
    CHECK(scene.fetch(*scene.mine) == Json{{"secrets", Json::array()}});
}

TEST_CASE("what is no list of sealed secrets is refused by its place, and leaves those before", "[verifier][mail]") {
    Scene scene;
    REQUIRE(scene.store(Json::array({secret("disk0", "kept")})).status == 200);
    const auto refusal = [&](const Json& secrets) {
        const Reply reply = scene.store(secrets);
        CHECK(reply.code() == "secrets");
        const std::string detail = reply.body["error"]["detail"];
        return detail.substr(0, detail.find(':'));
    };
    const auto bent = [](const char* member, const Json& value) {
        Json one = secret("disk0", "a");
        one[member] = value;
        return Json::array({one});
    };
    CHECK(refusal(nullptr) == "/secrets");
    CHECK(refusal(Json::object()) == "/secrets");
    CHECK(refusal(Json(65, secret("disk0", "a"))) == "/secrets");
    CHECK(refusal(Json::array({7})) == "/secrets/0");
    CHECK(refusal({secret("a", "b"), secret("b", "a"), secret("a", "b")}) == "/secrets/2");
    CHECK(refusal(bent("more", 1)) == "/secrets/0/more");
    for (const char* member : {"vm", "name"})
        for (const Json& bad : {Json(""), Json(std::string(32, 'a')), Json("A"), Json("a b"), Json(7), Json(nullptr)})
            CHECK(refusal(bent(member, bad)) == std::string{"/secrets/0/"} + member);
    for (const Json& bad : {Json(""), Json("A"), Json("AQID="), Json(verifier::to_base64(Bytes(1537, 1))), Json(7), Json(nullptr)}) {
        CHECK(refusal(bent("sealed", bad)) == "/secrets/0/sealed");
        CHECK(refusal(bent("approvals", Json::array({bad}))) == "/secrets/0/approvals");
    }
    for (const Json& bad : {Json(nullptr), Json("AQID"), Json(std::vector<std::string>(5, "AQID"))})
        CHECK(refusal(bent("approvals", bad)) == "/secrets/0/approvals");
    CHECK(scene.fetch(*scene.mine)["secrets"][0]["name"] == "kept");
    const std::string unknown = "/v1/platforms/" + std::string(64, 'e') + "/secrets";
    CHECK(scene.verifier.as_operator("POST", unknown, R"({"secrets":[]})").code() == "platform_unknown");
}

TEST_CASE("more secrets than the agent's answer holds are refused whole", "[verifier][mail]") {
    Scene scene;
    Json many = Json::array();
    for (int i = 0; i < 19; ++i) many.push_back(secret("disk0", "key-" + std::to_string(i), 1536, 4));
    CHECK(scene.store(many).status == 200); // 10 KiB each
    many.push_back(secret("disk0", "one-more", 1536, 4));
    CHECK(scene.store(many).status == 413);
    CHECK(scene.store(many).code() == "secrets_size");
    CHECK(scene.fetch(*scene.mine)["secrets"].size() == 19);
}
