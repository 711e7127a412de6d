// SPDX-License-Identifier: Apache-2.0
// JSON, hex and base64 from outside: one encoding, bounded depth, no key twice.
#include <catch2/catch.hpp>

#include "attest/verifier/encoding.hpp"
#include "attest/verifier/json.hpp"

using namespace casemate;
using namespace casemate::verifier;

TEST_CASE("JSON objects are bounded in depth and have no key twice", "[verifier]") {
    CHECK(parse_object(R"({"a":{"a":1},"b":[{"a":1},{"a":2}]})").ok());
    CHECK(parse_object(R"({"a":[[[[[[1]]]]]]})").ok());
    for (const char* bad : {"", "[]", "1", "{", R"({"a":1} x)", R"({"a":1,"a":2})", R"({"b":{"a":1,"a":1}})",
                            R"({"a":[[[[[[[[[[1]]]]]]]]]]})", "{\"a\":\"\xff\"}"})
        CHECK_FALSE(parse_object(bad).ok());
    CHECK_FALSE(parse_object(std::string(100'000, '[')).ok());
}

TEST_CASE("JSON values keep their kind, and numbers that none of ours has are refused", "[verifier]") {
    const Json object = parse_object(R"({"n":0,"big":18446744073709551615,"minus":-1,"half":0.5,"yes":true,"none":null,"t":"\u00e4\n"})").value();
    CHECK(object["n"].is_number_unsigned());
    CHECK(object["big"].get<std::uint64_t>() == 18446744073709551615U);
    CHECK(object["minus"].is_number_integer());
    CHECK_FALSE(object["minus"].is_number_unsigned());
    CHECK(object["half"].is_number_float());
    CHECK(object["yes"] == true);
    CHECK(object["none"].is_null());
    CHECK(object["t"] == "\xc3\xa4\n");
    for (const char* bad : {R"({"a":18446744073709551616})", R"({"a":01})", R"({"a":NaN})", R"({"a":1e999})", R"({"a":"\ud800"})", R"({"a":1,})",
                            R"({"a":1 /* c */})", "{\"a\":\"\n\"}", "\xef\xbb\xbf{\"a\":1}x"})
        CHECK_FALSE(parse_object(bad).ok());
    CHECK_FALSE(parse_object(std::string_view{"{\"a\":1}\0", 8}).ok());
}

TEST_CASE("base64 has one encoding of each value", "[verifier]") {
    CHECK(to_base64(Bytes{}) == "");
    for (const auto& [text, bytes] : {std::pair{"Zg==", Bytes{'f'}}, {"Zm8=", Bytes{'f', 'o'}}, {"Zm9v", Bytes{'f', 'o', 'o'}}}) {
        CHECK(to_base64(bytes) == text);
        CHECK(from_base64(text) == bytes);
    }
    for (const char* bad : {"Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm 9", "Zm9v\n", "Zm-_"})
        CHECK_FALSE(from_base64(bad));
}

TEST_CASE("hexadecimal is lower case and whole bytes", "[verifier]") {
    CHECK(from_hex("00ff") == Bytes{0x00, 0xff});
    for (const char* bad : {"0", "0F", "0g", " 0", "0x"}) CHECK_FALSE(from_hex(bad));
    CHECK(is_hex_id("0123456789abcdef0123456789abcdef", 32));
    CHECK_FALSE(is_hex_id("0123456789abcdef0123456789abcdeF", 32));
    CHECK_FALSE(is_hex_id("0123", 32));
}

TEST_CASE("members are typed, bounded and named in the refusal", "[verifier]") {
    const Json object = parse_object(R"({"good":"Zm9v","text":1,"list":["Zg==","?"]})").value();
    CHECK(bytes_member(object, "good", 3).value() == Bytes{'f', 'o', 'o'});
    CHECK_FALSE(bytes_member(object, "good", 2).ok());
    CHECK_FALSE(bytes_member(object, "absent", 3).ok());
    CHECK_FALSE(text_member(object, "text", 3).ok());
    CHECK_FALSE(bytes_list_member(object, "list", 2, 8).ok());
    CHECK(bytes_member(object, "absent", 3).error().detail.find("absent") != std::string::npos);
}

TEST_CASE("a whole number is one that fits: no fraction, no exponent, nothing too large", "[verifier]") {
    CHECK_FALSE(parse_object(R"({"long":17950300000000000000000000})").ok());
    const auto parsed = parse_object(R"({"n":-7,"max":9223372036854775807,"over":9223372036854775808,"huge":1.79503e+25,
                                         "half":0.5,"text":"1","null":null})");
    REQUIRE(parsed.ok());
    const Json& object = parsed.value();
    CHECK(whole_number(object, "n") == -7);
    CHECK(whole_number(object, "max") == 9223372036854775807);
    for (const char* bad : {"over", "huge", "half", "text", "null", "absent"}) {
        INFO(bad);
        CHECK_FALSE(whole_number(object, bad));
    }
}
