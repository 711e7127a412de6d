// SPDX-License-Identifier: Apache-2.0
// Quotes over the PCRs of a TXT launch: the forms that public tools write, and every way in which one proves nothing.
#include <catch2/catch.hpp>

#include "attest/txt/ak_file.hpp"
#include "attest/txt/explanation.hpp"
#include "attest/verifier/encoding.hpp"
#include "tests/unit/txt_sample.hpp"

using namespace casemate;
using namespace casemate::test;
using namespace casemate::txt;
using measure::TPM_ALG_ID;

namespace {

struct Scene {
    Bytes log = TxtSample::details().log();
    PcrReplay pcrs = pcrs_of(log);
    QuotingKey key;
    QuoteSample quote;

    [[nodiscard]] Explanation explained(const QuoteFiles& files) const { return explain(log, &files, nullptr); }
    [[nodiscard]] std::string fault(const QuoteFiles& files) const {
        const Explanation explanation = explained(files);
        const Finding* fault = explanation.first_fault();
        CHECK((explanation.verdict == TxtVerdict::proven) == (fault == nullptr));
        return fault == nullptr ? "" : name_of(fault->reason);
    }
    [[nodiscard]] std::string fault() const { return fault(quote.files(pcrs, key)); }
};

} // namespace

TEST_CASE("ECDSA, RSASSA and RSAPSS, a TPM2B_PUBLIC, a TPMT_PUBLIC, PEM and plain signatures are read", "[txt][quote]") {
    for (const KeyKind kind : {KeyKind::ecdsa, KeyKind::rsassa, KeyKind::rsapss}) {
        Scene scene;
        scene.key = QuotingKey{kind};
        QuoteFiles files = scene.quote.files(scene.pcrs, scene.key);
        CHECK(scene.fault(files).empty());
        files.ak.erase(files.ak.begin(), files.ak.begin() + 2);
        CHECK(scene.fault(files).empty());
        if (kind != KeyKind::rsapss) files.signature = scene.key.plain_signature(files.message);
        CHECK(scene.fault(files).empty());
        files.ak = scene.key.pem();
        CHECK(scene.fault(files).empty());
        CHECK(scene.explained(files).findings.contains(TxtReason::ak_unrestricted));
        files.ak = QuotingKey{kind}.tpm2b_public();
        CHECK(scene.fault(files) == "signature_invalid");
    }
}

TEST_CASE("a message, key or signature that is none is refused", "[txt][quote]") {
    Scene scene;
    const auto with = [&](auto bend) {
        QuoteSample quote;
        bend(quote);
        return scene.fault(quote.files(scene.pcrs, scene.key));
    };
    CHECK(with([](QuoteSample& q) { q.magic = 0xff544348; }) == "quote_magic");
    for (const std::uint16_t type : {0x8014, 0x8017, 0x8019}) CHECK(with([&](QuoteSample& q) { q.type = type; }) == "quote_type");
    const QuoteFiles good = scene.quote.files(scene.pcrs, scene.key);
    QuoteFiles files = good;
    files.message.push_back(0);
    CHECK(scene.fault(files) == "quote_malformed");
    for (std::size_t size = 0; size < good.message.size(); ++size) {
        files.message.assign(good.message.begin(), good.message.begin() + static_cast<std::ptrdiff_t>(size));
        CHECK(scene.fault(files) == "quote_malformed");
    }
    files = good;
    for (std::size_t size = 0; size < good.ak.size(); ++size) {
        files.ak.assign(good.ak.begin(), good.ak.begin() + static_cast<std::ptrdiff_t>(size));
        CHECK(scene.fault(files) == "ak_malformed");
    }
    files = good;
    for (std::size_t size = 0; size < good.signature.size(); ++size) {
        files.signature.assign(good.signature.begin(), good.signature.begin() + static_cast<std::ptrdiff_t>(size));
        CHECK(scene.fault(files) == "signature_malformed");
    }
    files = good;
    files.signature[3] = 0x04; // SHA-1
    CHECK(scene.fault(files) == "signature_malformed");
    files = good;
    files.message[50] ^= 1;
    CHECK(scene.fault(files) == "signature_invalid");
}

TEST_CASE("a key that is not restricted proves nothing", "[txt][quote]") {
    Scene scene;
    scene.key.attributes &= ~0x10000U;
    CHECK(scene.fault() == "ak_attributes");
    scene.key.attributes = 0x00050070; // may have come from outside its TPM
    CHECK(scene.fault() == "ak_attributes");
}

TEST_CASE("the nonce that was asked for, and a clock that was set back", "[txt][quote]") {
    Scene scene;
    QuoteFiles files = scene.quote.files(scene.pcrs, scene.key);
    files.nonce->back() ^= 1;
    CHECK(scene.fault(files) == "nonce_mismatch");
    files.nonce.reset();
    CHECK(scene.fault(files).empty());
    CHECK(scene.explained(files).findings.contains(TxtReason::nonce_unchecked));
    scene.quote.safe = 0;
    CHECK(scene.explained(scene.quote.files(scene.pcrs, scene.key)).findings.contains(TxtReason::clock_unsafe));
}

TEST_CASE("PCR 17 and 18 of one bank must be quoted together", "[txt][quote]") {
    Scene scene;
    for (const std::uint32_t mask : {0x020000U, 0x040000U, 0x180000U, 0U}) {
        scene.quote.selection = {{TPM_ALG_ID::SHA256, mask}};
        CHECK(scene.fault() == (mask == 0 || mask == 0x180000U ? "bank_sha1_only" : "pcr_selection"));
    }
    scene.quote.selection = {{TPM_ALG_ID::SHA256, 0x020000}, {TPM_ALG_ID::SHA1, 0x060000}};
    CHECK(scene.fault() == "pcr_selection");
    scene.quote.selection = {{TPM_ALG_ID::SHA1, 0x060000}, {TPM_ALG_ID::SHA256, 0x7e0000}};
    CHECK(scene.fault().empty());
}

TEST_CASE("PCRs that are not the log's: no launch, an unfinished one, a longer log, another order", "[txt][quote]") {
    Scene scene;
    const PcrReplay logged = scene.pcrs;
    scene.pcrs = PcrReplay{logged.banks(), 0xff};
    CHECK(scene.fault() == "not_launched");
    scene.pcrs = PcrReplay{logged.banks(), 0x00};
    CHECK(scene.fault() == "launch_not_finished");
    TxtSample shorter = TxtSample::details();
    shorter.events.pop_back();
    scene.pcrs = pcrs_of(shorter.log());
    const Explanation explanation = scene.explained(scene.quote.files(scene.pcrs, scene.key));
    CHECK(std::string{name_of(explanation.first_fault()->reason)} == "log_replay");
    CHECK(explanation.first_fault()->detail.find("behind record 21") != std::string::npos);
    TxtSample other = TxtSample::details();
    std::swap(other.event(17, EVTYPE_TBOOT_MEASUREMENT, 1), other.event(17, EVTYPE_TBOOT_MEASUREMENT, 2));
    scene.pcrs = pcrs_of(other.log());
    CHECK(scene.fault() == "log_replay");
}

TEST_CASE("PCRs that the log does not give need their values, which the quote proves", "[txt][quote]") {
    Scene scene;
    scene.quote.selection = {{TPM_ALG_ID::SHA256, 0x0600ff}};
    measure::DigestSet digests;
    digests.add(measure::hash(TPM_ALG_ID::SHA256, Bytes{1}));
    scene.pcrs.extend(4, digests); // firmware's doing
    QuoteFiles files = scene.quote.files(scene.pcrs, scene.key);
    CHECK(scene.fault(files) == "pcr_not_logged");
    files.values = scene.quote.values(scene.pcrs);
    CHECK(scene.fault(files).empty());
    CHECK(scene.explained(files).findings.contains(TxtReason::pcr_not_logged));
    std::string text = "  sha1:\n    0 : 0x00\n  sha256:\n";
    for (std::uint32_t pcr = 0; pcr < 24; ++pcr) {
        std::string hex = verifier::to_hex(scene.pcrs.value(TPM_ALG_ID::SHA256, pcr).view());
        for (char& letter : hex) letter = static_cast<char>(std::toupper(letter));
        text += "    " + std::to_string(pcr) + (pcr < 10 ? " " : "") + ": 0x" + hex + "\n";
    }
    files.values = Bytes(text.begin(), text.end());
    CHECK(scene.fault(files).empty());
    (*files.values)[text.find("0x", text.find("sha256")) + 2] = 'F';
    CHECK(scene.fault(files) == "pcr_values");
    files.values = Bytes(text.begin(), text.begin() + 600);
    CHECK(scene.fault(files) == "pcr_values");
}

TEST_CASE("with values each PCR has an answer of its own", "[txt][quote]") {
    Scene scene;
    measure::DigestSet digests;
    digests.add(measure::hash(TPM_ALG_ID::SHA256, Bytes{1}));
    scene.pcrs.extend(17, digests); // somebody measured more than is logged
    QuoteFiles files = scene.quote.files(scene.pcrs, scene.key);
    files.values = scene.quote.values(scene.pcrs);
    const Explanation explanation = scene.explained(files);
    CHECK(std::string{name_of(explanation.first_fault()->reason)} == "log_replay");
    CHECK(explanation.first_fault()->detail.starts_with("PCR 17 of sha256 is "));
    CHECK_FALSE(explanation.records[1].proved);
    CHECK(explanation.records[11].proved); // PCR 18 is what the log says
}

TEST_CASE("an AK file of any bytes is read or refused", "[txt][quote]") {
    CHECK_FALSE(read_ak({}));
    CHECK_FALSE(read_ak(Bytes(20000, '-')));
    const std::string text = "-----BEGIN PUBLIC KEY-----\nnothing\n";
    CHECK_FALSE(read_ak(Bytes(text.begin(), text.end())));
    Bytes bent = QuotingKey{}.tpm2b_public();
    bent.back() ^= 1; // not on the curve
    CHECK_FALSE(read_ak(bent));
}
