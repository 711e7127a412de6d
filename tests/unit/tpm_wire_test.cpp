// SPDX-License-Identifier: Apache-2.0
#include "dlaunch/measure/crypto.hpp"
#include "dlaunch/measure/tpm_wire.hpp"
#include "tests/unit/hex.hpp"

#include <catch2/catch.hpp>

using namespace casemate;
using namespace casemate::measure;
using casemate::test::from_hex;
using casemate::test::to_hex;

namespace {

// A TPM with sha1 allocated but empty, sha256 and sha384 active.
constexpr std::string_view pcrs_response = "8001 00000025 00000000 00 00000005 00000003"
                                           "0004 03 000000 000b 03 ffffff 000c 03 ffffff";
constexpr std::string_view random_response = "8001 00000010 00000000 0004 deadbeef";
constexpr std::string_view read_response = "8001 0000003e 00000000 00000007 00000001 000b 03 000002 00000001 0020"
                                           "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr std::string_view clock_response = "8001 00000023 00000000 0000000000000102 0000000000abcdef 00000003 00000004 01";
constexpr std::string_view extend_response = "8002 00000013 00000000 00000000 0000 01 0000";

/// Calls `accepts` with every truncation of the response and with a byte too many.
template <typename Accepts>
void refuses_other_lengths(std::string_view hex, Accepts accepts) {
    auto bytes = from_hex(hex);
    REQUIRE(accepts(bytes));
    for (std::size_t size = 0; size < bytes.size(); ++size) REQUIRE_FALSE(accepts(ByteView{bytes}.first(size)));
    bytes.push_back(0);
    CHECK_FALSE(accepts(bytes));
    bytes[5] += 1; // now the header announces the extra byte
    CHECK_FALSE(accepts(bytes));
}

} // namespace

TEST_CASE("PCR_Extend carries the digest of every bank", "[tpm]") {
    Banks banks;
    REQUIRE((banks.add(TPM_ALG_ID::SHA1) && banks.add(TPM_ALG_ID::SHA256)));
    std::uint8_t buffer[tpm_buffer_size];
    const auto abc = from_hex("616263");
    CHECK(to_hex(tpm2_pcr_extend(buffer, 18, hash_all(banks, abc))) ==
          to_hex(from_hex("8002 00000057 00000182 00000012 00000009 40000009 0000 00 0000 00000002"
                          "0004 a9993e364706816aba3e25717850c26c9cd0d89d"
                          "000b ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")));
}

TEST_CASE("the other commands have the bytes of the specification", "[tpm]") {
    std::uint8_t buffer[tpm_buffer_size];
    CHECK(to_hex(tpm2_get_capability_pcrs(buffer)) == "8001000000160000017a000000050000000000000001");
    CHECK(to_hex(tpm2_get_random(buffer, 32)) == "80010000000c0000017b0020");
    CHECK(to_hex(tpm2_read_clock(buffer)) == "80010000000a00000181");
    CHECK(to_hex(tpm2_pcr_reset(buffer, 22)) ==
          to_hex(from_hex("8002 0000001b 0000013d 00000016 00000009 40000009 0000 00 0000")));
    CHECK(to_hex(tpm2_pcr_read(buffer, TPM_ALG_ID::SHA256, 17)) ==
          to_hex(from_hex("8001 00000014 0000017e 00000001 000b 03 000002")));
    CHECK(tpm2_get_random({buffer, 11}, 32).empty());
}

TEST_CASE("all four banks fit the command buffer", "[tpm]") {
    Banks banks;
    for (const auto bank : {TPM_ALG_ID::SHA1, TPM_ALG_ID::SHA256, TPM_ALG_ID::SHA384, TPM_ALG_ID::SHA512}) {
        REQUIRE(banks.add(bank));
    }
    std::uint8_t buffer[tpm_buffer_size];
    CHECK(tpm2_pcr_extend(buffer, 17, hash_all(banks, {})).size() == 10 + 4 + 13 + 4 + 4 * 2 + 20 + 32 + 48 + 64);
}

TEST_CASE("active banks are those with PCR 17-22 selected", "[tpm]") {
    const auto banks = parse_get_capability_pcrs(from_hex(pcrs_response));
    REQUIRE(banks.ok());
    REQUIRE(banks.value().size() == 2);
    CHECK(banks.value()[0] == TPM_ALG_ID::SHA256);
    CHECK(banks.value()[1] == TPM_ALG_ID::SHA384);
}

TEST_CASE("a bank that cannot be extended as a whole is an error, not ignored", "[tpm]") {
    SECTION("unknown algorithm, active") {
        const auto banks =
            parse_get_capability_pcrs(from_hex("8001 00000019 00000000 00 00000005 00000001 0012 03 ffffff"));
        REQUIRE_FALSE(banks.ok());
        CHECK(banks.error().kind == TpmFaultKind::unsupported_bank);
    }
    SECTION("only some of the dynamic PCRs") {
        const auto banks =
            parse_get_capability_pcrs(from_hex("8001 00000019 00000000 00 00000005 00000001 000b 03 ffff03"));
        REQUIRE_FALSE(banks.ok());
        CHECK(banks.error().kind == TpmFaultKind::unsupported_bank);
    }
    SECTION("no bank at all") {
        const auto banks = parse_get_capability_pcrs(from_hex("8001 00000013 00000000 00 00000005 00000000"));
        REQUIRE_FALSE(banks.ok());
        CHECK(banks.error().kind == TpmFaultKind::no_bank);
    }
}

TEST_CASE("responses are accepted with their exact length only", "[tpm]") {
    refuses_other_lengths(pcrs_response, [](ByteView r) { return parse_get_capability_pcrs(r).ok(); });
    refuses_other_lengths(random_response, [](ByteView r) {
        std::uint8_t out[4];
        return parse_get_random(r, out).ok();
    });
    refuses_other_lengths(read_response,
                          [](ByteView r) { return parse_pcr_read(r, TPM_ALG_ID::SHA256, 17).ok(); });
    refuses_other_lengths(clock_response, [](ByteView r) { return parse_read_clock(r).ok(); });
    CHECK(parse_read_clock(from_hex(clock_response)).value() == 0xabcdef);
    refuses_other_lengths(extend_response, [](ByteView r) { return parse_empty_response(r).ok(); });
}

TEST_CASE("random bytes and PCR values arrive unchanged", "[tpm]") {
    std::uint8_t out[4];
    REQUIRE(parse_get_random(from_hex(random_response), out).ok());
    CHECK(to_hex(out) == "deadbeef");
    const auto value = parse_pcr_read(from_hex(read_response), TPM_ALG_ID::SHA256, 17);
    REQUIRE(value.ok());
    CHECK(to_hex(value.value().view()) == "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
}

TEST_CASE("a short random answer and the wrong PCR are refused", "[tpm]") {
    std::uint8_t out[5];
    CHECK_FALSE(parse_get_random(from_hex(random_response), out).ok());
    CHECK_FALSE(parse_pcr_read(from_hex(read_response), TPM_ALG_ID::SHA256, 18).ok());
    CHECK_FALSE(parse_pcr_read(from_hex(read_response), TPM_ALG_ID::SHA384, 17).ok());
}

TEST_CASE("the TPM's own error code is reported, and whether to try again", "[tpm]") {
    const auto locality = parse_empty_response(from_hex("8001 0000000a 00000907"));
    REQUIRE_FALSE(locality.ok());
    CHECK(locality.error().kind == TpmFaultKind::refused);
    CHECK(locality.error().code == TPM_RC_LOCALITY);
    CHECK_FALSE(locality.error().try_again());
    CHECK(parse_empty_response(from_hex("8001 0000000a 00000922")).error().try_again());
    CHECK(announced_size(from_hex("8001 0000000a 00000922")) == 10);
    CHECK(announced_size(from_hex("8001 00000009 00000922")) == 0);
    CHECK(announced_size(from_hex("8001 0000000a")) == 0);
}
