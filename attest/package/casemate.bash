# SPDX-License-Identifier: Apache-2.0
# bash completion of casemate, the operator's command line of the attestation service.
_casemate() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local service="--url --ca --token --certificate --key --json --help" words
    case $before in
        --role) COMPREPLY=($(compgen -W "viewer operator owner" -- "$word")); return ;;
        --ca | --token | --certificate | --key | --reference | --ak | --checkpoint) COMPREPLY=($(compgen -f -- "$word")); return ;;
    esac
    if [ "$COMP_CWORD" = 1 ]; then
        words="platform grant bootstrap reference policy key token result evidence audit --help"
    elif [ "$COMP_CWORD" = 2 ] && [[ $word != -* ]]; then
        case ${COMP_WORDS[1]} in
            platform) words="list show expected import approve quarantine retire reinstate rebind status order orders recall secrets" ;;
            grant) words="list revoke release" ;;
            bootstrap) words="issue list withdraw" ;;
            reference) words="list import remove" ;;
            policy) words="show minimum-epoch" ;;
            key) words="list import revoke" ;;
            token) words="list create remove" ;;
            result) words="verify" ;;
            evidence) words="fetch explain" ;;
            audit) words="export verify" ;;
        esac
    else
        case "${COMP_WORDS[1]} ${COMP_WORDS[2]}" in
            "audit export") words="--store $service" ;;
            "audit verify") words="--key --checkpoint --json --help" ;;
            "result verify") words="--key --nonce --json --help" ;;
            "bootstrap issue") words="--reference --device --vm --lease $service" ;;
            "evidence explain") words="--reference --ak --quote --signature --nonce --pcrs --json --help" ;;
            "token create") words="--role --days $service" ;;
            "key import") words="owner grant $service" ;;
            "platform order") words="stop start restart $service" ;;
            *) words=$service ;;
        esac
    fi
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    [[ $word == -* ]] || [ "$COMP_CWORD" -lt 3 ] || COMPREPLY+=($(compgen -f -- "$word"))
}
complete -F _casemate casemate casemate-attest
