// SPDX-License-Identifier: Apache-2.0
#include "attest/evidence/evidence_bundle.hpp"
#include "attest/evidence/tpm_structures.hpp"
#include "tests/unit/hex.hpp"

#include <catch2/catch.hpp>

using namespace casemate;
using namespace casemate::attest;
using casemate::test::from_hex;
using casemate::test::to_hex;

namespace {

// TPMS_ATTEST of a quote: qualifiedSigner, extraData, clockInfo, firmwareVersion, two banks, pcrDigest.
constexpr std::string_view quote_hex =
    "ff544347 8018 0004 000b aabb 0003 010203 0000000000001234 00000005 00000002 01 2019102300163636"
    "00000002 000b 03 00007e 000c 03 010000 0004 deadbeef";
constexpr std::string_view signature_hex = "0018 000b 0002 0102 0020"
                                           "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeffe0e1e2e3e4e5e6e7e8e9eaebecedeeef";

} // namespace

TEST_CASE("a quote gives its fields", "[evidence]") {
    const auto bytes = from_hex(quote_hex);
    const auto parsed = parse_quote(bytes);
    REQUIRE(parsed.ok());
    const Quote& quote = parsed.value().claimed();
    CHECK(to_hex(quote.qualifiedSigner) == "000baabb");
    CHECK(to_hex(quote.extraData) == "010203");
    CHECK(quote.clockInfo.clock == 0x1234);
    CHECK(quote.clockInfo.resetCount == 5);
    CHECK(quote.clockInfo.restartCount == 2);
    CHECK(quote.clockInfo.safe);
    CHECK(quote.firmwareVersion == 0x2019102300163636);
    REQUIRE(quote.pcrSelect.count == 2);
    CHECK(quote.pcrSelect.items[0].bank == measure::TPM_ALG_ID::SHA256);
    CHECK(quote.pcrSelect.items[0].pcrs == 0x7e0000);
    CHECK(quote.pcrSelect.items[1].pcrs == 1);
    CHECK(to_hex(quote.pcrDigest) == "deadbeef");
    CHECK(quote.signed_bytes.size() == bytes.size());
}

TEST_CASE("structures have their exact length or are refused", "[evidence]") {
    auto quote = from_hex(quote_hex), signature = from_hex(signature_hex);
    for (std::size_t size = 0; size < quote.size(); ++size) REQUIRE_FALSE(parse_quote(ByteView{quote}.first(size)).ok());
    for (std::size_t size = 0; size < signature.size(); ++size) {
        REQUIRE_FALSE(parse_signature(ByteView{signature}.first(size)).ok());
    }
    CHECK(parse_quote(quote).ok());
    CHECK(parse_signature(signature).ok());
    quote.push_back(0);
    signature.push_back(0);
    CHECK_FALSE(parse_quote(quote).ok());
    CHECK_FALSE(parse_signature(signature).ok());
}

TEST_CASE("each refusal of a quote has its kind", "[evidence]") {
    auto quote = from_hex(quote_hex);
    SECTION("magic") {
        quote[0] = 0;
        CHECK(parse_quote(quote).error() == StructureError::magic);
    }
    SECTION("type") {
        quote[5] = 0x17;
        CHECK(parse_quote(quote).error() == StructureError::type);
    }
    SECTION("safe is neither yes nor no") {
        quote[33] = 2;
        CHECK(parse_quote(quote).error() == StructureError::malformed);
    }
    SECTION("too many selections") {
        quote[45] = 9;
        CHECK(parse_quote(quote).error() == StructureError::malformed);
    }
    SECTION("a name that is too long") {
        quote[6] = 0x10;
        CHECK(parse_quote(quote).error() == StructureError::malformed);
    }
}

TEST_CASE("a signature's numbers are padded on the left, and no longer than the curve's", "[evidence]") {
    auto bytes = from_hex(signature_hex);
    const auto signature = parse_signature(bytes);
    REQUIRE(signature.ok());
    CHECK(to_hex(signature.value()) == std::string(60, '0') + "0102" +
                                           "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeffe0e1e2e3e4e5e6e7e8e9eaebecedeeef");
    CHECK_FALSE(parse_signature(from_hex("0018 000b 0000 0001 01")).ok());
    CHECK_FALSE(parse_signature(from_hex("0018 000c 0001 01 0001 01")).ok()); // SHA-384
    CHECK_FALSE(parse_signature(from_hex("0014 000b 0001 01 0001 01")).ok()); // RSASSA
    bytes = from_hex("0018 000b 0021");
    bytes.resize(bytes.size() + 33);
    bytes.insert(bytes.end(), {0, 1, 1});
    CHECK_FALSE(parse_signature(bytes).ok());
}

TEST_CASE("qualifying data binds nonce, launch and session", "[evidence]") {
    measure::LaunchId launch;
    launch.fill(2);
    const std::vector<std::uint8_t> nonce(32, 1);
    // python3: sha256(b'\1'*32 + b'\2'*32 + sha256(b'c1').digest())
    CHECK(to_hex(qualifying_data(nonce, launch, "c1")) == "747c1140fb1e8c53b19b31baa11df3cd74c14bc49f008178008857bc69f3ad5f");
}
