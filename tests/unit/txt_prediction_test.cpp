// SPDX-License-Identifier: Apache-2.0
// The prediction of a TXT launch is the twin of its appraisal; tboot's image is measured as SINIT does; references are read strictly.
#include <catch2/catch.hpp>

#include "attest/txt/explanation.hpp"
#include "attest/txt/mle_hash.hpp"
#include "attest/txt/prediction.hpp"
#include "tests/unit/txt_sample.hpp"

using namespace casemate;
using namespace casemate::test;
using namespace casemate::txt;
using measure::TPM_ALG_ID;

namespace {

/// A small MLE: 0x1000 bytes in the file, 0x800 more in memory, its header at 0x40.
struct MleFile {
    std::uint32_t start = 0x100, end = 0x1600, command_line = 0x200, command_line_end = 0x210, file_size = 0x1000, memory_size = 0x1800;
    Bytes elf() const {
        const auto put = TxtSample::put;
        Bytes out{0x7f, 'E', 'L', 'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0};
        put(out, 2, 2), put(out, 3, 2), put(out, 1, 4), put(out, 0x800000, 4), put(out, 52, 4), put(out, 0, 4), put(out, 0, 4);
        put(out, 52, 2), put(out, 32, 2), put(out, 1, 2), put(out, 0, 2), put(out, 0, 2), put(out, 0, 2);
        put(out, 1, 4), put(out, 0x100, 4), put(out, 0x800000, 4), put(out, 0x800000, 4), put(out, file_size, 4), put(out, memory_size, 4), put(out, 7, 4), put(out, 16, 4);
        out.resize(0x100);
        Bytes image(0x1000, 0x90);
        Bytes header{0x5a, 0xac, 0x82, 0x90, 0x6f, 0x47, 0xa7, 0x74, 0x0f, 0x5c, 0x55, 0xa2, 0xcb, 0x51, 0xb6, 0x42};
        put(header, 52, 4), put(header, 0x20001, 4), put(header, 0, 4), put(header, 0, 4), put(header, start, 4), put(header, end, 4);
        put(header, 0x627, 4), put(header, command_line, 4), put(header, command_line_end, 4);
        std::copy(header.begin(), header.end(), image.begin() + 0x40);
        out.insert(out.end(), image.begin(), image.end());
        return out;
    }
    std::string refusal(const std::string& line = "") const {
        std::string why;
        return measured_mle(elf(), line, why) ? "" : why;
    }
};

PredictionInput captured(const Bytes& log) {
    auto facts = facts_of(log);
    REQUIRE(facts);
    return std::move(facts).value();
}

} // namespace

TEST_CASE("what is measured of tboot is its image in memory with the command line in it", "[txt][predict]") {
    std::string why;
    const MleFile file;
    const auto mle = measured_mle(file.elf(), "pcr_map=da", why);
    REQUIRE(mle);
    Bytes expected(0x1500, 0x90); // 0x100 to 0x1600
    std::fill(expected.begin() + 0x100, expected.begin() + 0x110, std::uint8_t{0});
    const std::string line = "pcr_map=da";
    std::copy(line.begin(), line.end(), expected.begin() + 0x100);
    std::fill(expected.begin() + 0xf00, expected.end(), std::uint8_t{0}); // not in the file
    CHECK(mle->bytes == expected);
    CHECK(file.refusal("fifteen letters").empty());
    CHECK(file.refusal("sixteen letters!") == "the command line is longer than 15 bytes");
}

TEST_CASE("a file that is no MLE, or whose header points out of it, is refused", "[txt][predict]") {
    const auto bent = [](auto bend) {
        MleFile file;
        bend(file);
        return file.refusal();
    };
    CHECK(bent([](MleFile&) {}).empty());
    CHECK_FALSE(bent([](MleFile& f) { f.end = 0x1801; }).empty());
    CHECK_FALSE(bent([](MleFile& f) { f.start = f.end; }).empty());
    CHECK_FALSE(bent([](MleFile& f) { f.command_line_end = 0x1801; }).empty());
    CHECK_FALSE(bent([](MleFile& f) { f.command_line = f.command_line_end; }).empty());
    CHECK_FALSE(bent([](MleFile& f) { f.memory_size = 0xfff; }).empty());
    CHECK_FALSE(bent([](MleFile& f) { f.memory_size = 0x7fffffff; }).empty());
    CHECK_FALSE(bent([](MleFile& f) { f.file_size = 0x1001; }).empty());
    const Bytes whole = MleFile{}.elf();
    for (std::size_t size = 0; size < whole.size(); size += size < 0x200 ? 1 : 97) {
        std::string why;
        CHECK_FALSE(measured_mle(ByteView{whole}.first(size), "", why));
    }
}

TEST_CASE("a gzip file is unpacked, a broken one refused", "[txt][predict]") {
    const Bytes packed{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b, 4, 0, 0x43, 0xbe, 0xb7, 0xe8, 1, 0, 0, 0}; // "a"
    CHECK(unpacked(packed) == Bytes{'a'});
    for (std::size_t size = 2; size < packed.size(); ++size) CHECK_FALSE(unpacked(ByteView{packed}.first(size)));
    CHECK(unpacked(Bytes{1, 2}) == Bytes{1, 2});
}

TEST_CASE("a captured log, tboot and modules give the PCRs of the next launch in both maps", "[txt][predict]") {
    for (const bool legacy : {false, true}) {
        PredictionInput input = captured(legacy ? TxtSample::legacy().log() : TxtSample::details().log());
        CHECK((input.map == PcrMap::legacy) == legacy);
        input.mle = Bytes{'n', 'e', 'w'};
        input.modules = {{{'k'}, "iommu=1"}, {{'i'}, ""}};
        const auto made = predict(input);
        REQUIRE(made);
        // The launch as the machine would log it.
        TxtSample sample = legacy ? TxtSample::legacy() : TxtSample::details();
        sample.event(legacy ? 18 : 17, EVTYPE_MLE_HASH).measured = {'n', 'e', 'w'};
        std::erase_if(sample.events, [](const TxtEvent& each) { return each.type == EVTYPE_TBOOT_MEASUREMENT; });
        PcrReplay pcrs = pcrs_of(sample.log());
        const auto both = [&](std::uint32_t pcr, auto digest) {
            measure::DigestSet digests;
            for (const TPM_ALG_ID bank : pcrs.banks()) digests.add(digest(bank));
            pcrs.extend(pcr, digests);
        };
        const auto policy = [&](TPM_ALG_ID bank) { return calculate_policy_event(default_policy(input.map), bank, bank); };
        both(17, policy);
        if (!legacy) both(18, policy);
        both(legacy ? 18 : 17, [](TPM_ALG_ID bank) { return calculate_module_event("iommu=1", Bytes{'k'}, bank); });
        both(legacy ? 19 : 17, [](TPM_ALG_ID bank) { return calculate_module_event("", Bytes{'i'}, bank); });
        for (const std::uint32_t pcr : {17U, 18U, 19U})
            CHECK(made.value().pcrs.value(TPM_ALG_ID::SHA256, pcr) == pcrs.value(TPM_ALG_ID::SHA256, pcr));
    }
}

TEST_CASE("what is predicted from a log is the reference of that log, and of no other", "[txt][predict]") {
    const Bytes log = TxtSample::details().log();
    const auto made = predict(captured(log));
    REQUIRE(made);
    const auto reference = Reference::parse(made.value().reference.json()); // a round trip through the document
    REQUIRE(reference);
    const QuotingKey key;
    const auto judged = [&](const Bytes& other) {
        const QuoteFiles files = QuoteSample{}.files(pcrs_of(other), key);
        const Explanation explanation = explain(other, &files, &reference.value());
        const Finding* fault = explanation.first_fault();
        CHECK((explanation.verdict == TxtVerdict::affirming) == (fault == nullptr));
        return fault == nullptr ? "" : std::string{name_of(fault->reason)};
    };
    CHECK(judged(log).empty());
    const auto bent = [&](auto bend) {
        TxtSample sample = TxtSample::details();
        bend(sample);
        return judged(sample.log());
    };
    CHECK(bent([](TxtSample& s) { s.event(17, EVTYPE_MLE_HASH).measured = {'e'}; }) == "reference_event_differs");
    CHECK(bent([](TxtSample& s) { s.event(17, EVTYPE_TBOOT_MEASUREMENT, 2).measured = {'e'}; }) == "reference_event_differs");
    CHECK(bent([](TxtSample& s) { s.append({17, EVTYPE_TBOOT_MEASUREMENT, {}, {'e'}}); }) == "reference_event_unknown");
    CHECK(bent([](TxtSample& s) { s.events.pop_back(); }) == "reference_event_missing");
    CHECK(bent([](TxtSample& s) { s.event(18, EVTYPE_SINIT_PUBKEY_HASH).measured = {'e'}; }) == "pcr_differs");
    // Without a quote it is compared, and still unproved.
    CHECK(explain(log, nullptr, &reference.value()).verdict == TxtVerdict::unproven);
    const Bytes legacy = TxtSample::legacy().log();
    CHECK(explain(legacy, nullptr, &reference.value()).findings.contains(TxtReason::map_differs));
    TxtSample other_bank = TxtSample::details();
    other_bank.algorithms = {{0x0c, 48}};
    CHECK(explain(other_bank.log(), nullptr, &reference.value()).findings.contains(TxtReason::reference_bank));
}

TEST_CASE("what only the machine knows is asked for", "[txt][predict]") {
    PredictionInput input;
    (void)input.banks.add(TPM_ALG_ID::SHA256);
    input.mle = Bytes{1};
    auto made = predict(input);
    REQUIRE_FALSE(made);
    CHECK(made.error() == "HASH_START of PCR 17 is not known: it cannot be computed without the machine; capture a log of it once (--log), or give it (--event)");
    TxtSample torn = TxtSample::details();
    torn.erase(17, EVTYPE_STM_HASH);
    const Bytes log = torn.log();
    CHECK_FALSE(facts_of(log));
}

TEST_CASE("a reference document is read strictly", "[txt][predict]") {
    const auto made = predict(captured(TxtSample::details().log()));
    REQUIRE(made);
    const verifier::Json good = made.value().reference.json();
    CHECK_FALSE(good["banks"].contains("sha1"));
    const auto refused = [&](auto bend) {
        verifier::Json document = good;
        bend(document);
        return !Reference::parse(document);
    };
    CHECK_FALSE(refused([](verifier::Json&) {}));
    CHECK(refused([](verifier::Json& d) { d["version"] = 2; }));
    CHECK(refused([](verifier::Json& d) { d["kind"] = "skinit"; }));
    CHECK(refused([](verifier::Json& d) { d["map"] = "other"; }));
    CHECK(refused([](verifier::Json& d) { d["more"] = 1; }));
    CHECK(refused([](verifier::Json& d) { d["banks"] = verifier::Json::object(); }));
    CHECK(refused([](verifier::Json& d) { d["banks"]["sha1"] = d["banks"]["sha256"]; }));
    CHECK(refused([](verifier::Json& d) { d["banks"]["sha256"]["values"].erase("18"); }));
    CHECK(refused([](verifier::Json& d) { d["banks"]["sha256"]["values"]["18"] = verifier::Json::array(); }));
    CHECK(refused([](verifier::Json& d) { d["banks"]["sha256"]["values"]["18"][0] = "00"; }));
    CHECK(refused([](verifier::Json& d) { d["banks"]["sha256"]["values"]["16"] = d["banks"]["sha256"]["values"]["18"]; }));
    CHECK(refused([](verifier::Json& d) { d["banks"]["sha256"]["events"]["17"][0]["type"] = "NONE"; }));
    CHECK(refused([](verifier::Json& d) { d["banks"]["sha256"]["events"]["17"][0].erase("digests"); }));
    CHECK(refused([](verifier::Json& d) { d["banks"]["sha256"]["events"]["17"][0]["any"] = true; }));
    CHECK(refused([](verifier::Json& d) { d["banks"]["sha256"]["events"] = 1; }));
}
