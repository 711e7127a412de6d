// SPDX-License-Identifier: Apache-2.0
// Owners' texts, as one owner gives them to another to sign: any bytes, never a crash; a policy source without a problem is a valid policy, and
// an owners' file is never one without certificates.
#include "policy/compiler/owners_file.hpp"
#include "policy/compiler/toml_source.hpp"
#include "policy/model/payload.hpp"

#include <cstdlib>
#include <memory>

using namespace casemate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    constexpr std::array<std::uint8_t, policy::public_key_size> grant_key{4};
    const auto source = std::make_unique<policy::Source>(policy::read_source(text, grant_key));
    if (source->problems.empty() && !policy::validate(source->policy).ok()) std::abort();
    const auto nobody = [](const std::string&) -> Result<std::vector<std::uint8_t>, cose::CertificateError> { return Failure{cose::CertificateError::cannot_read}; };
    if (policy::read_owners(text, nobody, 0).problems.empty()) std::abort();
    return 0;
}
