// SPDX-License-Identifier: Apache-2.0
// Private to tpm_*.cpp: the ESAPI context with its transport, and ESAPI's allocations as owned pointers.
#pragma once

#include "attest/agent/tpm.hpp"

#include <cstdio>
#include <cstdlib>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>

namespace casemate::agent {

struct Tpm::Connection {
    std::vector<std::uint8_t> transport; // TSS2_TCTI_CONTEXT, of the size that its library asked for
    ESYS_CONTEXT* esys = nullptr;

    ~Connection() {
        if (esys != nullptr) Esys_Finalize(&esys);
        if (!transport.empty()) Tss2_Tcti_Finalize(tcti());
    }
    TSS2_TCTI_CONTEXT* tcti() { return reinterpret_cast<TSS2_TCTI_CONTEXT*>(transport.data()); }
};

struct FreeEsys {
    void operator()(void* memory) const { Esys_Free(memory); }
};
template <typename T>
using Owned = std::unique_ptr<T, FreeEsys>;

/// "TPM2_Quote: TPM error 0x921"
inline Outcome<Done> tpm_result(TSS2_RC code, const char* command) {
    if (code == TSS2_RC_SUCCESS) return Done{};
    char text[96];
    std::snprintf(text, sizeof text, "%s: TPM error 0x%x", command, code);
    return fail(text);
}

/// The TPM's wire form of a structure, by its Tss2_MU_..._Marshal function.
template <typename T, typename Function>
Outcome<Bytes> marshalled(const T& value, Function marshal) {
    Bytes bytes(sizeof(T) + 64);
    std::size_t size = 0;
    TRY(tpm_result(marshal(&value, bytes.data(), bytes.size(), &size), "marshal"));
    bytes.resize(size);
    return bytes;
}

/// UNTRUSTED bytes to a structure; refuses trailing bytes.
template <typename T, typename Function>
Outcome<T> unmarshalled(ByteView bytes, Function unmarshal) {
    T value{};
    std::size_t offset = 0;
    TRY(tpm_result(unmarshal(bytes.data(), bytes.size(), &offset, &value), "unmarshal"));
    if (offset != bytes.size()) return fail("trailing bytes behind a TPM structure");
    return value;
}

} // namespace casemate::agent
