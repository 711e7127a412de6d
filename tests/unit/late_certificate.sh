# SPDX-License-Identifier: Apache-2.0
# For tests, to be sourced. late KEY OUT: a certificate of KEY that ended in 2020; leaves openssl's files in the working directory.
late() {
    : > index
    echo 01 > serial
    printf '%s\n' '[ca]' 'default_ca = x' '[x]' 'database = index' 'serial = serial' 'new_certs_dir = .' 'default_md = sha256' 'policy = p' \
        'x509_extensions = e' '[p]' 'commonName = supplied' '[e]' 'basicConstraints = critical,CA:FALSE' 'keyUsage = critical,digitalSignature' > ca.cnf
    openssl req -new -key "$1" -subj /CN=late -out late.csr
    openssl ca -batch -notext -selfsign -config ca.cnf -keyfile "$1" -in late.csr -startdate 20200101000000Z -enddate 20200201000000Z -out "$2" 2> /dev/null
}
