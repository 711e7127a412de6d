// SPDX-License-Identifier: Apache-2.0
// The files of the page as the service gives them out, and what a browser may be made to ask by other pages. The page at work:
// tests/page.
#include <catch2/catch.hpp>

#include "attest/verifier/page_files.hpp"
#include "tests/unit/verifier_fixture.hpp"

using namespace casemate;
using namespace casemate::test;
using verifier::HttpAnswer;
using verifier::HttpRequest;

namespace {

HttpRequest get(const std::string& path) {
    HttpRequest request{"GET", path, "", "", "", "", "127.0.0.1:7"};
    request.accept = "text/html,application/xhtml+xml,*/*;q=0.8";
    return request;
}

std::string header(const HttpAnswer& answer, const std::string& name) {
    for (const auto& [key, value] : answer.headers)
        if (key == name) return value;
    return {};
}

} // namespace

TEST_CASE("every file of the page is served to anyone, under a strict policy", "[verifier][page]") {
    const TestVerifier verifier;
    for (const verifier::PageFile& file : verifier::page_files()) {
        CAPTURE(std::string(file.path));
        const HttpAnswer answer = verifier.service->answer(get(std::string(file.path)));
        CHECK(answer.status == 200);
        CHECK(answer.body == file.content);
        CHECK(answer.content_type == file.type);
        const std::string policy = header(answer, "Content-Security-Policy");
        for (const char* part : {"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'", "require-trusted-types-for 'script'"})
            CHECK(policy.find(part) != std::string::npos);
        CHECK(policy.find("unsafe") == std::string::npos);
        CHECK(header(answer, "Cache-Control") == "no-cache");
    }
    CHECK(verifier.service->answer(get("/")).body.starts_with("<!DOCTYPE html>"));
}

TEST_CASE("a file that the browser has is not sent again, and a changed one has another tag", "[verifier][page]") {
    const TestVerifier verifier;
    HttpRequest request = get("/page/app.js");
    const std::string tag = header(verifier.service->answer(request), "ETag");
    CHECK(tag.size() == 34);
    CHECK(tag != header(verifier.service->answer(get("/page/app.css")), "ETag"));
    for (const std::string& known : {tag, "W/" + tag, "\"other\", " + tag}) {
        request.if_none_match = known;
        const HttpAnswer answer = verifier.service->answer(request);
        CHECK(answer.status == 304);
        CHECK(answer.body.empty());
        CHECK(header(answer, "ETag") == tag);
    }
    request.if_none_match = "\"0123456789abcdef0123456789abcdef\"";
    CHECK(verifier.service->answer(request).status == 200);
}

TEST_CASE("there is no other file, and none can be written", "[verifier][page]") {
    const TestVerifier verifier;
    for (const char* path : {"/page/", "/page", "/index.html", "/page/index.html", "/page/../page/app.js", "/page/app.js?x", "//", "/page/app.js/", "/etc/passwd", "/page/%61pp.js"})
        CHECK(verifier.service->answer(get(path)).status == 404);
    HttpRequest program = get("/");
    program.accept = "*/*";
    CHECK(verifier.service->answer(program).status == 404);
    HttpRequest post = get("/");
    post.method = "POST";
    CHECK(verifier.service->answer(post).status == 404);
}

TEST_CASE("the page has nothing inline, fetches nothing elsewhere, and hands no text over as markup", "[verifier][page]") {
    for (const verifier::PageFile& file : verifier::page_files()) {
        CAPTURE(std::string(file.path));
        for (const char* bad : {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "style=\"", "<style", "onclick=\"", "javascript:", "localStorage", "document.cookie"})
            CHECK(file.content.find(bad) == std::string_view::npos);
        std::string text{file.content};
        for (const char* known : {"http://www.w3.org/2000/svg"}) // a name, not fetched
            for (std::size_t at = text.find(known); at != std::string::npos; at = text.find(known)) text.erase(at, std::string_view{known}.size());
        CHECK(text.find("://") == std::string::npos);
    }
}

TEST_CASE("files of the page count as a stranger's requests", "[verifier][page]") {
    verifier::Settings settings;
    settings.stranger_rate = 5;
    const TestVerifier verifier{{}, settings};
    for (int i = 0; i < 10; ++i) CHECK(verifier.service->answer(get("/")).status == 200);
    CHECK(verifier.service->answer(get("/")).status == 429);
    HttpRequest other = get("/");
    other.peer = "127.0.0.2:7";
    CHECK(verifier.service->answer(other).status == 200);
}

TEST_CASE("a page of another origin cannot use the operator's certificate", "[verifier][page]") {
    TestVerifier verifier;
    const auto platform = verifier.platform('a');
    REQUIRE(verifier.accept(*platform).status == 200);
    REQUIRE(verifier.attest(*platform).status == 200);
    const std::string grant = verifier.store->grants(1)[0].id;
    HttpRequest request{"POST", "/v1/grants/" + grant + "/revocation", "", "text/plain", "", "", "127.0.0.1:5",
                        verifier::ClientCertificate{std::string(64, '2'), "CN=test", 1'000'000'000'000}};
    request.host = "verifier.example:8443";
    for (const char* origin : {"https://evil.example", "null", "http://verifier.example:8443", "https://verifier.example", "https://verifier.example:8443.evil.example"}) {
        request.origin = origin;
        const HttpAnswer answer = verifier.service->answer(request);
        CHECK(answer.status == 403);
        CHECK(Json::parse(answer.body)["error"]["code"] == "origin");
    }
    CHECK(verifier.store->grants(1)[0].revoked_at == 0);
    request.origin = "https://verifier.example:8443";
    CHECK(verifier.service->answer(request).status == 200);
}
