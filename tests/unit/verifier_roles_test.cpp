// SPDX-License-Identifier: Apache-2.0
// Who may call what: EVERY route of the table as every kind of caller, and the ways to become one of them.
#include <catch2/catch.hpp>

#include "attest/store/sqlite.hpp"
#include "tests/unit/verifier_fixture.hpp"

using namespace casemate;
using namespace casemate::test;
using verifier::Caller;
using verifier::Route;

namespace {

/// The pattern with ids that exist where they can.
std::string path_of(const Route& route, const std::string& platform) {
    std::string path = route.pattern;
    const auto fill = [&](const std::string& name, const std::string& id) {
        const std::size_t at = path.find("{" + name + "}");
        if (at != std::string::npos) path.replace(at, name.size() + 2, id);
    };
    fill("platform", platform);
    fill("reference", std::string(64, '0'));
    fill("key", std::string(64, '0'));
    fill("result", "1");
    for (const char* name : {"enrolment", "grant", "token"}) fill(name, std::string(32, '0'));
    return path;
}

int rank(Caller caller) {
    switch (caller) {
    case Caller::viewer: return 1;
    case Caller::operator_: return 2;
    case Caller::owner: return 3;
    default: return 0;
    }
}

struct Scene {
    TestVerifier verifier;
    std::unique_ptr<Platform> mine = verifier.platform('a');
    std::unique_ptr<Platform> other = verifier.platform('b');

    std::string token(const char* name, const char* role, int seconds = 3600) {
        const Json wanted{{"name", name}, {"role", role}, {"lifetime_seconds", seconds}};
        const Reply made = verifier.as_operator("POST", "/v1/tokens", wanted.dump());
        REQUIRE(made.status == 200);
        return made.body["token"];
    }
    /// Every route with a caller that `call` stands for.
    template <typename Call, typename Check>
    void each(Call call, Check check) {
        for (const Route& route : verifier.service->route_table()) {
            CAPTURE(route.method, route.pattern);
            const std::string body = route.body == verifier::Body::object ? "{}" : "";
            check(route, call(route, path_of(route, mine->id), body));
        }
    }
};

/// Refusals that say who the caller is, not what the call lacks.
bool refused_at_the_door(const Reply& reply) {
    for (const char* code : {"token_missing", "token_wrong", "token_expired", "operator_only", "role", "certificate_unknown",
                             "certificate_expired"})
        if (reply.code() == code) return true;
    return false;
}

} // namespace

TEST_CASE("every route refuses a caller who shows nothing", "[verifier][roles]") {
    Scene scene;
    scene.each([&](const Route& route, const std::string& path, const std::string& body) {
        return scene.verifier.call(route.method, path, "", body);
    }, [](const Route& route, const Reply& reply) {
        if (route.caller == Caller::anyone) CHECK_FALSE(refused_at_the_door(reply));
        else CHECK(reply.code() == "token_missing");
    });
}

TEST_CASE("every route refuses another platform's token", "[verifier][roles]") {
    Scene scene;
    scene.each([&](const Route& route, const std::string& path, const std::string& body) {
        return scene.verifier.call(route.method, path, scene.other->token, body);
    }, [](const Route& route, const Reply& reply) {
        if (route.caller == Caller::anyone) return;
        CHECK(reply.code() == (route.caller == Caller::platform ? "token_wrong" : "operator_only"));
    });
}

TEST_CASE("every route refuses an expired token", "[verifier][roles]") {
    Scene scene;
    const std::string owner = scene.token("old", "owner", 60);
    scene.verifier.now += 3'600'000;
    scene.each([&](const Route& route, const std::string& path, const std::string& body) {
        return scene.verifier.call(route.method, path, route.caller == Caller::platform ? scene.mine->token : owner, body);
    }, [](const Route& route, const Reply& reply) {
        if (route.caller != Caller::anyone) CHECK(reply.code() == "token_expired");
    });
}

TEST_CASE("every route lets in exactly the roles at or above its own, by token and by certificate", "[verifier][roles]") {
    Scene scene;
    const std::string tokens[] = {scene.token("v", "viewer"), scene.token("o", "operator"), scene.token("w", "owner")};
    for (int role = 1; role <= 3; ++role) {
        const auto check = [&](const Route& route, const Reply& reply) {
            CAPTURE(role, reply.body.dump());
            if (route.caller == Caller::anyone || route.caller == Caller::platform) return;
            if (rank(route.caller) > role) CHECK(reply.code() == "role");
            else CHECK_FALSE(refused_at_the_door(reply));
        };
        scene.each([&](const Route& route, const std::string& path, const std::string& body) {
            return scene.verifier.call(route.method, path, tokens[role - 1], body);
        }, check);
        scene.each([&](const Route& route, const std::string& path, const std::string& body) {
            return scene.verifier.with_certificate(static_cast<char>('0' + role), route.method, path, body);
        }, check);
    }
}

TEST_CASE("every route refuses a client certificate that is nobody's or has expired", "[verifier][roles]") {
    Scene scene;
    scene.each([&](const Route& route, const std::string& path, const std::string& body) {
        return scene.verifier.with_certificate('9', route.method, path, body);
    }, [](const Route& route, const Reply& reply) {
        if (route.caller == Caller::anyone) return;
        CHECK(reply.code() == (route.caller == Caller::platform ? "token_missing" : "certificate_unknown"));
    });
    // It was good when the connection began; the connection outlived it.
    scene.each([&](const Route& route, const std::string& path, const std::string& body) {
        return scene.verifier.with_certificate('3', route.method, path, body, scene.verifier.now);
    }, [](const Route& route, const Reply& reply) {
        if (rank(route.caller) > 0) CHECK(reply.code() == "certificate_expired");
    });
}

TEST_CASE("a viewer who tries to revoke is refused, and the trail says so", "[verifier][roles]") {
    Scene scene;
    REQUIRE(scene.verifier.accept(*scene.mine).status == 200);
    REQUIRE(scene.verifier.attest(*scene.mine).body["verdict"] == "affirming");
    const std::string id = scene.verifier.store->grants(1).at(0).id;
    const std::string path = "/v1/grants/" + id + "/revocation";
    CHECK(scene.verifier.with_certificate('1', "POST", path).code() == "role");
    CHECK(scene.verifier.store->grant(id)->revoked_at == 0);
    const store::AuditRow row = scene.verifier.store->audit_rows(1).at(0);
    CHECK(row.actor == "vera (viewer)");
    CHECK(row.action == "call");
    CHECK(row.object == path);
    CHECK(row.detail.find("POST, role") == 0);
    CHECK(row.outcome == "refused");
    CHECK(scene.verifier.with_certificate('2', "POST", path).status == 200);
    CHECK(scene.verifier.store->audit_rows(1).at(0).actor == "oscar (operator)");
}

TEST_CASE("a token that is shown counts, whatever certificate lies beside it", "[verifier][roles]") {
    Scene scene;
    verifier::HttpRequest request{"GET", "/v1/tokens", "Bearer " + scene.token("v", "viewer"), "", "", "", "test",
                                  verifier::ClientCertificate{std::string(64, '3'), "", 1'000'000'000'000}};
    CHECK(Json::parse(scene.verifier.service->answer(request).body)["error"]["code"] == "role");
    request.authorization = "Bearer " + std::string(64, 'f');
    CHECK(Json::parse(scene.verifier.service->answer(request).body)["error"]["code"] == "operator_only");
    request.authorization.clear();
    CHECK(scene.verifier.service->answer(request).status == 200);
}

TEST_CASE("tokens are stored hashed, listed without their text and end when removed", "[verifier][roles]") {
    Scene scene;
    const std::string text = scene.token("alice", "operator");
    CHECK(scene.verifier.call("GET", "/v1/grants", text).status == 200);
    const Json listed = scene.verifier.as_operator("GET", "/v1/tokens").body["tokens"];
    REQUIRE(listed.size() == 1);
    CHECK(listed[0]["name"] == "alice");
    CHECK(listed[0]["created_by"] == "operator");
    CHECK(listed.dump().find(text) == std::string::npos);
    store::Connection raw{scene.verifier.directory / "db"};
    store::Statement row{raw, "SELECT hex(token_hash) FROM operator_tokens"};
    REQUIRE(row.step());
    CHECK(row.text(0).size() == 64);
    CHECK(row.text(0).find(text.substr(0, 16)) == std::string::npos);
    const std::string path = "/v1/tokens/" + listed[0]["token_id"].get<std::string>();
    CHECK(scene.verifier.as_operator("DELETE", path).status == 200);
    CHECK(scene.verifier.as_operator("DELETE", path).code() == "token_unknown");
    CHECK(scene.verifier.call("GET", "/v1/grants", text).code() == "operator_only");
}

TEST_CASE("a token's name, role and life are checked", "[verifier][roles]") {
    TestVerifier verifier;
    const auto code = [&](const Json& body) { return verifier.as_operator("POST", "/v1/tokens", body.dump()).code(); };
    CHECK(code({{"name", "a"}, {"role", "viewer"}, {"lifetime_seconds", 60}}).empty());
    for (const char* name : {"", "A", "1a", "operator", "verifier", "a b", "a\n", "a'; DROP TABLE operator_tokens; --"})
        CHECK(code({{"name", name}, {"role", "viewer"}, {"lifetime_seconds", 60}}) == "token");
    for (const char* role : {"", "admin", "Owner", "owner "})
        CHECK(code({{"name", "a"}, {"role", role}, {"lifetime_seconds", 60}}) == "token");
    for (const Json& seconds : {Json(59), Json(-60), Json("60"), Json(60.5), Json(31'622'401), Json(nullptr)})
        CHECK(code({{"name", "a"}, {"role", "viewer"}, {"lifetime_seconds", seconds}}) == "token");
    CHECK(code({{"name", "a"}, {"role", "viewer"}, {"lifetime_seconds", 60}, {"admin", true}}) == "token");
}

TEST_CASE("the operators' file is read strictly", "[verifier][roles]") {
    const auto detail = [](const std::string& text) {
        const auto map = verifier::CertificateMap::parse(text);
        return map.ok() ? std::string{"good"} : map.error().detail;
    };
    const std::string print(64, 'a');
    CHECK(detail(R"({"operators":[]})") == "good");
    CHECK(detail(R"({"operators":[{"name":"a","role":"owner","fingerprint":")" + print + R"("}]})") == "good");
    CHECK(detail(R"({"operators":[{"name":"a","role":"owner","subject":"CN=a","colour":1}]})") ==
          "/operators/0/colour: unknown member");
    CHECK(detail(R"({"operators":[],"a/b~c":1})") == "/a~1b~0c: unknown member");
    CHECK(detail(R"({"operators":[{"name":"a","role":"root","subject":"CN=a"}]})") ==
          "/operators/0/role: must be viewer, operator or owner");
    CHECK(detail(R"({"operators":[{"name":"a","role":"owner"}]})") == "/operators/0: needs a fingerprint or a subject");
    CHECK(detail(R"({"operators":[{"name":"a","role":"owner","fingerprint":"AA"}]})").find("/fingerprint") != std::string::npos);
    CHECK(detail(R"({"operators":[{"name":"a","role":"owner","subject":"CN=a"},{"name":"b","role":"viewer","subject":"CN=a"}]})") ==
          "/operators/1: the same certificate occurs twice");
    CHECK(detail(R"({"operators":[{"name":"a","role":"owner","subject":"CN=a"},{"name":"a","role":"viewer","subject":"CN=b"}]})") ==
          "/operators/1/name: occurs twice");
    CHECK(detail("{}") == "/operators: must be a list");
    const auto both = verifier::CertificateMap::parse(
        R"({"operators":[{"name":"a","role":"owner","subject":"CN=a","fingerprint":")" + print + R"("}]})");
    CHECK(both.value().find({print, "CN=a", 1})->role == verifier::Role::owner);
    CHECK_FALSE(both.value().find({print, "CN=b", 1}));
    CHECK_FALSE(both.value().find({std::string(64, 'b'), "CN=a", 1}));
}

TEST_CASE("a caller and a stranger have a rate, and neither uses up another's", "[verifier][roles]") {
    verifier::Settings settings;
    settings.caller_rate = 2;
    settings.stranger_rate = 1;
    TestVerifier verifier{{}, settings};
    const auto a = verifier.platform('a');
    const auto b = verifier.platform('b');
    const auto orders = [&](const Platform& of) { return verifier.call("GET", "/v1/platforms/" + of.id + "/orders", of.token); };
    for (int i = 0; i < 4; ++i) CHECK(orders(*a).status == 200); // twice the rate at once
    CHECK(orders(*a).status == 429);
    CHECK(orders(*b).status == 200);
    verifier.now += 500;
    CHECK(orders(*a).status == 200);
    CHECK(orders(*a).code() == "rate");
    for (int i = 0; i < 2; ++i) CHECK(verifier.call("GET", "/v1/grants", "guess").code() == "operator_only");
    CHECK(verifier.call("GET", "/v1/grants", "guess").code() == "rate");
    CHECK(verifier.as_operator("GET", "/v1/grants").status == 200); // from the same address, with a good token
    verifier::HttpRequest elsewhere{"GET", "/v1/grants", "Bearer guess", "", "", "", "10.0.0.1:5"};
    CHECK(verifier.service->answer(elsewhere).status == 403);
}

TEST_CASE("a rate limit forgets who was silent and never grows without bound", "[verifier][roles]") {
    verifier::RateLimit limit{1};
    for (std::size_t i = 0; i < verifier::RateLimit::max_keys; ++i) CHECK(limit.take(std::to_string(i), 0));
    CHECK(limit.take("late", 0)); // the shared bucket
    CHECK(limit.take("later", 0));
    CHECK_FALSE(limit.take("latest", 0));
    CHECK(limit.take("new", 10'000)); // all others are full again and forgotten
    CHECK(limit.take("new", 10'000));
    CHECK_FALSE(limit.take("new", 10'000));
    CHECK(limit.take("newer", 10'000)); // a bucket of its own
    CHECK_FALSE(limit.take("new", 5'000)); // a clock that goes back earns nothing
    verifier::RateLimit none{0};
    for (int i = 0; i < 1000; ++i) CHECK(none.take("a", 0));
}
