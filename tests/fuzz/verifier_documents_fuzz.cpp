// SPDX-License-Identifier: Apache-2.0
// Documents that people hand to the verifier and its command line: signed results, operators' files, lists of platforms and
// reference sets. Any bytes: never a crash, no result verifies that its key did not sign, nothing unknown is accepted.
#include "attest/cli/command.hpp"
#include "attest/cli/inventory_file.hpp"
#include "attest/verifier/operators.hpp"
#include "attest/verifier/reference_set.hpp"
#include "attest/verifier/result_token.hpp"
#include "tests/unit/verifier_fixture.hpp"

#include <cstdlib>

using namespace casemate;
using namespace casemate::test;

namespace {

/// A verifier, a platform that it accepts, and a result of it that is good.
struct Scene {
    TestVerifier verifier;
    std::unique_ptr<Platform> platform = verifier.platform('a');
    Json reference = TestVerifier::reference(*platform);
    std::string token;
    Scene() {
        if (verifier.accept(*platform).status != 200) std::abort();
        token = verifier.attest(*platform).body["result"];
    }
};

void result(const Scene& at, std::uint8_t choice, const std::string& text) {
    // The bytes alone, or in the middle of a good token.
    const std::size_t from = at.token.size() * (choice % 64) / 64;
    const std::string bent = choice < 128 ? text : at.token.substr(0, from) + text + at.token.substr(std::min(at.token.size(), from + text.size()));
    const auto read = verifier::verify_result(bent, at.verifier.results_key.public_key(), at.verifier.now);
    if (read.ok() && bent != at.token) std::abort();
}

void inventory(const std::string& text) {
    try {
        const Json body = cli::inventory_of(text);
        if (!body.is_object()) std::abort();
    } catch (const cli::CannotRun&) { // a refusal
    }
}

/// A good set with one more member is never accepted.
void reference(const Scene& at, const std::string& text) {
    const auto parsed = verifier::parse_object(text);
    if (!parsed) return;
    (void)verifier::LoadedReference::load("fuzz", parsed.value(), at.verifier.grant_key.public_key());
    Json more = at.reference;
    for (const auto& [key, value] : parsed.value().items())
        if (!more.contains(key)) more[key] = value;
    const bool known = more.size() == at.reference.size() || more.contains("not_before") || more.contains("not_after") || more.contains("pcrs");
    if (verifier::LoadedReference::load("fuzz", more, at.verifier.grant_key.public_key()).ok() && !known) std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const Scene scene;
    if (size < 2) return 0;
    const std::string text{reinterpret_cast<const char*>(data) + 2, size - 2}; // SAFETY: char and std::uint8_t alias
    switch (data[0] % 4) {
    case 0: result(scene, data[1], text); break;
    case 1: inventory(text); break;
    case 2: (void)verifier::CertificateMap::parse(text); break;
    default: reference(scene, text); break;
    }
    return 0;
}
