// SPDX-License-Identifier: Apache-2.0
// Compiled twice, with and without CASEMATE_PRODUCTION: what a build thinks of a development key. Status 0: as it should.
#include "attest/cose/signer.hpp"

#include <cstdio>
#include <fstream>

using namespace casemate::cose;

namespace {

#ifdef CASEMATE_PRODUCTION
constexpr SignError wanted_of_development_keys = SignError::development_key;
#else
constexpr SignError wanted_of_development_keys = SignError::none;
#endif

template <typename T>
bool is(const casemate::Result<T, SignError>& result, SignError wanted, const char* what) {
    const SignError seen = result.ok() ? SignError::none : result.error();
    if (seen != wanted) std::fprintf(stderr, "%s: %s\n", what, describe(seen));
    return seen == wanted;
}

} // namespace

/// production_keys DEVELOPMENT_KEYS PRODUCTION_KEYS
int main(int argc, char** argv) {
    if (argc != 3) return 2;
    const std::string development = argv[1], production = argv[2];
    bool good = is(Signer::from_pem_file(development + "/owner.pem"), wanted_of_development_keys, "a development key");
    good &= is(read_public_key(development + "/grant.pub.pem"), wanted_of_development_keys, "the public half of a development key");
    good &= is(Signer::from_pem_file(production + "/owner.pem"), SignError::none, "a production key");
    good &= is(read_public_key(production + "/grant.pub.pem"), SignError::none, "the public half of a production key");
    const bool refuses = wanted_of_development_keys != SignError::none;
    good &= refuses_key_file(development + "/server.key.pem") == refuses && !refuses_key_file(production + "/server.key.pem");
    return good ? 0 : 1;
}
