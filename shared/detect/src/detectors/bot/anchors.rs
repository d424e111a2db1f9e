//! What the prefilter looks for on behalf of BOT_SCANNER: a literal (lower case; matched without regard to ASCII case)
//! and this category's feature bits (0..=5) that it sets. Also compiled into build.rs, so it uses nothing.
//!
//! The literals are the table of tools, so that neither can be without the other.

/// An attack tool's name in a user agent.
pub const TOOL: u8 = 0b0001;
/// An HTTP library's name in a user agent.
pub const LIBRARY: u8 = 0b0010;
/// A path that only a scanner asks for.
pub const PROBE: u8 = 0b0100;
/// A host that scanners have victims call back.
pub const CALLBACK: u8 = 0b1000;

/// What a mark stands for; each is one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// sqlmap.
    Sqlmap,
    /// Nikto.
    Nikto,
    /// Nmap.
    Nmap,
    /// masscan.
    Masscan,
    /// DirBuster.
    Dirbuster,
    /// gobuster.
    Gobuster,
    /// Burp Suite.
    Burp,
    /// Vulnerability scanners.
    Scanner,
    /// Content discovery and fuzzing.
    Fuzzer,
    /// Password guessing.
    BruteForce,
    /// Surveys of the whole internet and reconnaissance.
    Recon,
    /// Tools that exploit one kind of hole.
    Exploit,
    /// Ordinary HTTP libraries and automated browsers.
    Library,
    /// Scanners' test paths.
    Probe,
    /// Scanners' call-back hosts.
    Callback,
}

/// A mark, what it stands for, and where that is documented.
pub type Mark = (&'static [u8], Group, &'static str);

macro_rules! marks {
    ($($bit:ident { $($token:literal $group:ident $source:literal)* })*) => {
        /// Every mark.
        pub const MARKS: &[Mark] = &[$($(($token, Group::$group, $source)),*),*];
        /// Literals and the feature bits that each sets.
        pub const ANCHORS: &[(&[u8], u8)] = &[$($(($token, $bit)),*),*];
    };
}

marks! {
    TOOL {
        b"sqlmap" Sqlmap "sqlmap.org"
        b"nikto" Nikto "cirt.net/nikto2"
        b"nmap" Nmap "nmap.org/book/nse.html"
        b"masscan" Masscan "github.com/robertdavidgraham/masscan"
        b"dirbuster" Dirbuster "owasp.org (DirBuster project)"
        b"gobuster" Gobuster "github.com/OJ/gobuster"
        b"burp" Burp "portswigger.net/burp"
        b"burpcollaborator" Burp "portswigger.net/burp"

        b"arjun" Fuzzer "github.com/s0md3v/Arjun"
        b"aquatone" Recon "github.com/michenriksen/aquatone"
        b"betabot" Exploit "Betabot / Neurevt trojan"
        b"bewica-security-scan" Scanner "Bewica mass scans"
        b"bugbounty" Scanner "bug bounty programmes ask testers for a mark"
        b"bug-bounty" Scanner "bug bounty programmes ask testers for a mark"
        b"bugcrowd" Scanner "docs.bugcrowd.com (tester's mark)"
        b"clairvoyance" Exploit "github.com/nikitastupin/clairvoyance"
        b"corsy" Scanner "github.com/s0md3v/Corsy"
        b"crackql" BruteForce "github.com/nicholasaleks/CrackQL"
        b"exploit" Exploit "tools that name their trade"
        b"eyewitness" Recon "github.com/RedSiege/EyeWitness"
        b"ghauri" Exploit "github.com/r0oth3x49/ghauri"
        b"gospider" Recon "github.com/jaeles-project/gospider"
        b"gowitness" Recon "github.com/sensepost/gowitness"
        b"graphql-cop" Scanner "github.com/dolevf/graphql-cop"
        b"graphqlmap" Exploit "github.com/swisskyrepo/GraphQLmap"
        b"graphw00f" Recon "github.com/dolevf/graphw00f"
        b"h2csmuggler" Exploit "github.com/BishopFox/h2csmuggler"
        b"hackerone" Scanner "docs.hackerone.com (tester's mark)"
        b"hakrawler" Recon "github.com/hakluke/hakrawler"
        b"inql" Scanner "github.com/doyensec/inql"
        b"intigriti" Scanner "kb.intigriti.com (tester's mark)"
        b"libwhisker" Scanner "wiretrip.net (libwhisker)"
        b"lfimap" Exploit "github.com/hansmach1ne/LFImap"
        b"mozlila" Scanner "misspelt Mozilla of mass scans, 2013 on"
        b"nettacker" Scanner "owasp.org (Nettacker)"
        b"paramspider" Recon "github.com/devanshbatham/ParamSpider"
        b"pentest" Scanner "testers that name their trade"
        b"penetration test" Scanner "testers that name their trade"
        b"security scan" Scanner "scanners that name their trade"
        b"security-scan" Scanner "scanners that name their trade"
        b"securityscanner" Scanner "scanners that name their trade"
        b"shortscan" Fuzzer "github.com/bitquark/shortscan"
        b"smuggler" Exploit "github.com/defparam/smuggler"
        b"sstimap" Exploit "github.com/vladko312/SSTImap"
        b"vulnerability scan" Scanner "scanners that name their trade"
        b"vulnerability-scan" Scanner "scanners that name their trade"
        b"vulnscan" Scanner "scanners that name their trade"
        b"wafw00f" Recon "github.com/EnableSecurity/wafw00f"
        b"webscanner" Scanner "scanners that name their trade"
        b"wpprobe" Scanner "github.com/Chocapikk/wpprobe"
        b"yeswehack" Scanner "yeswehack.com (tester's mark)"
        b"absinthe" Exploit "0x90.org (Absinthe)"
        b"acunetix" Scanner "acunetix.com"
        b"alittle client" Scanner "CVE-2017-9841 scans, 2023"
        b"appscan" Scanner "hcl-software.com/appscan"
        b"arachni" Scanner "arachni-scanner.com"
        b"awvs" Scanner "acunetix.com"
        b"bbqsql" Exploit "github.com/CiscoCXSecurity/bbqsql"
        b"bbscan" Fuzzer "github.com/lijiejie/BBScan"
        b"beef/" Exploit "beefproject.com"
        b"bilbo" Recon "Bilbo/Sam mass scans, 2008"
        b"brutus" BruteForce "hoobie.net/brutus"
        b"bsqlbf" Exploit "code.google.com/p/bsqlbf-v2"
        b"cgichk" Scanner "sourceforge.net/projects/cgichk"
        b"cgi-scan" Scanner "whisker and its heirs"
        b"cmseek" Scanner "github.com/Tuhinshubhra/CMSeeK"
        b"cmsmap" Scanner "github.com/dionach/CMSmap"
        b"cobalt strike" Exploit "cobaltstrike.com"
        b"commix" Exploit "commixproject.com"
        b"core-project" Scanner "core-project/1.0 mass scans"
        b"crlfuzz" Fuzzer "github.com/dwisiswant0/crlfuzz"
        b"crowbar" BruteForce "github.com/galkan/crowbar"
        b"cz32ts" Scanner "cz32ts mass scans, 2007"
        b"dalfox" Exploit "github.com/hahwul/dalfox"
        b"datacha0s" Scanner "DataCha0s/2.0 awstats scans"
        b"detectify" Scanner "detectify.com/bot"
        b"dirb" Fuzzer "dirb.sourceforge.net"
        b"dirble" Fuzzer "github.com/nccgroup/dirble"
        b"dirhunt" Fuzzer "github.com/Nekmo/dirhunt"
        b"dirsearch" Fuzzer "github.com/maurosoria/dirsearch"
        b"dirstalk" Fuzzer "github.com/stefanoj3/dirstalk"
        b"dotdotpwn" Fuzzer "github.com/wireghoul/dotdotpwn"
        b"droopescan" Scanner "github.com/SamJoan/droopescan"
        b"expanse, a palo alto" Recon "paloaltonetworks.com (Xpanse)"
        b"feroxbuster" Fuzzer "github.com/epi052/feroxbuster"
        b"ffuf" Fuzzer "github.com/ffuf/ffuf"
        b"fuzz faster u fool" Fuzzer "github.com/ffuf/ffuf"
        b"fhscan" Scanner "FHScan Core"
        b"fimap" Exploit "github.com/kurobeats/fimap"
        b"fscan" Scanner "github.com/shadow1ng/fscan"
        b"f-secure radar" Scanner "withsecure.com"
        b"getodin" Recon "getodin.com"
        b"goby" Scanner "gobysec.net"
        b"golismero" Scanner "golismero.com"
        b"gootkit" Scanner "Gootkit auto-rooter scanner"
        b"grabber" Scanner "rgaucher.info/beta/grabber"
        b"grendel-scan" Scanner "grendel-scan.com"
        b"havij" Exploit "itsecteam.com (Havij)"
        b"hello, world" Scanner "Mirai-family router scans"
        b"hexometer" Scanner "hexometer.com"
        b"(hydra" BruteForce "github.com/vanhauser-thc/thc-hydra"
        b"thc-hydra" BruteForce "github.com/vanhauser-thc/thc-hydra"
        b"inspath" Scanner "inspath path disclosure finder"
        b"intruder.io" Scanner "intruder.io"
        b"internet ninja" Scanner "Internet Ninja scans"
        b"internet-measurement.com" Recon "internet-measurement.com"
        b"internetmeasurement" Recon "internet-measurement.com"
        b"invicti" Scanner "invicti.com"
        b"jaascois" Scanner "jaascois web scanner"
        b"jaeles" Scanner "github.com/jaeles-project/jaeles"
        b"jbrofuzz" Fuzzer "owasp.org (JBroFuzz)"
        b"joomscan" Scanner "owasp.org (JoomScan)"
        b"jorgee" Scanner "Jorgee mass scans"
        b"jsql" Exploit "github.com/ron190/jsql-injection"
        b"kadimus" Exploit "github.com/P0cL4bs/Kadimus"
        b"kiterunner" Fuzzer "github.com/assetnote/kiterunner"
        b"l9explore" Recon "leakix.net"
        b"l9tcpid" Recon "leakix.net"
        b"leakix" Recon "leakix.net"
        b"lfisuite" Exploit "github.com/D35m0nd142/LFISuite"
        b"liffy" Exploit "github.com/mzfr/liffy"
        b"lkxscan" Recon "leakix.net"
        b"marathon tool" Exploit "codeplex (Marathon Tool)"
        b"medusa/" BruteForce "foofus.net (Medusa)"
        b"metasploit" Exploit "metasploit.com"
        b"meterpreter" Exploit "metasploit.com"
        b"meg/" Fuzzer "github.com/tomnomnom/meg"
        b"morfeus" Scanner "Morfeus mass scans"
        b"morpheus" Scanner "Morfeus mass scans"
        b"muieblackcat" Scanner "Muieblackcat mass scans"
        b"mysqloit" Exploit "code.google.com/p/mysqloit"
        b"n-stealth" Scanner "N-Stalker"
        b"n-stalker" Scanner "nstalker.com"
        b"naabu" Recon "github.com/projectdiscovery/naabu"
        b"ncrack" BruteForce "nmap.org/ncrack"
        b"nessus" Scanner "tenable.com/products/nessus"
        b"netlab360" Recon "netlab.360.com"
        b"netsparker" Scanner "netsparker.com"
        b"netsystemsresearch" Recon "netsystemsresearch.com"
        b"network-services-auditor" Scanner "nsauditor.com"
        b"nexpose" Scanner "rapid7.com/products/nexpose"
        b"nosqlmap" Exploit "github.com/codingo/NoSQLMap"
        b"nsauditor" Scanner "nsauditor.com"
        b"nuclei" Scanner "github.com/projectdiscovery/nuclei"
        b"open-source project (github.com/projectdiscovery" Recon "github.com/projectdiscovery/httpx"
        b"projectdiscovery" Recon "projectdiscovery.io"
        b"pdiscoveryio" Scanner "projectdiscovery.io"
        b"openvas" Scanner "openvas.org"
        b"pangolin" Exploit "nosec.org (Pangolin)"
        b"panoptic" Exploit "github.com/lightos/Panoptic"
        b"paros" Scanner "parosproxy.org"
        b"patator" BruteForce "github.com/lanjelot/patator"
        b"plecost" Scanner "github.com/iniqua/plecost"
        b"pmafind" Scanner "PMAFind mass scans"
        b"pocsuite" Exploit "pocsuite.org"
        b"probe.rapid7" Recon "rapid7.com (Project Sonar)"
        b"project sonar" Recon "rapid7.com (Project Sonar)"
        b"project-resonance" Recon "project-resonance.com"
        b"python-nmap" Nmap "nmap.org"
        b"qualys" Scanner "qualys.com"
        b"rapid7" Scanner "rapid7.com"
        b"retire.js" Scanner "retirejs.github.io"
        b"rustbuster" Fuzzer "github.com/phra/rustbuster"
        b"s.t.a.l.k.e.r." Scanner "S.T.A.L.K.E.R. mass scans"
        b"shodan" Recon "shodan.io"
        b"sitelockspider" Scanner "sitelock.com"
        b"sipvicious" Scanner "github.com/EnableSecurity/sipvicious"
        b"skipfish" Scanner "code.google.com/p/skipfish"
        b"sn1per" Scanner "github.com/1N3/Sn1per"
        b"springenwerk" Scanner "springenwerk.org"
        b"sql power injector" Exploit "sqlpowerinjector.com"
        b"sqlninja" Exploit "sqlninja.sourceforge.net"
        b"sqlsus" Exploit "sqlsus.sourceforge.net"
        b"ssrfmap" Exploit "github.com/swisskyrepo/SSRFmap"
        b"struts-pwn" Exploit "github.com/mazen160/struts-pwn"
        b"subfinder" Recon "github.com/projectdiscovery/subfinder"
        b"sysscan" Scanner "github.com/robertdavidgraham (sysscan)"
        b"tbi-webscanner" Recon "leakix.net"
        b"tbi-httpopenplugin" Recon "leakix.net"
        b"teh forest lobster" Fuzzer "Powerfuzzer's predecessor"
        b"tenable" Scanner "tenable.com"
        b"this is an exploit" Exploit "Metasploit-style mass scans"
        b"tplmap" Exploit "github.com/epinna/tplmap"
        b"uniscan" Scanner "uniscan.sourceforge.net"
        b"vega/1" Scanner "subgraph.com/vega"
        b"voideye" Scanner "VoidEYE CGI scanner"
        b"w00tw00t" Scanner "DFind"
        b"w3af" Scanner "w3af.org"
        b"wapiti" Scanner "wapiti-scanner.github.io"
        b"wascan" Scanner "github.com/m4ll0k/WAScan"
        b"webbandit" Scanner "webbandit scans"
        b"webinspect" Scanner "microfocus.com (WebInspect)"
        b"web-sniffer" Scanner "web-sniffer.net"
        b"websecurify" Scanner "websecurify.com"
        b"webshag" Scanner "scrt.ch (webshag)"
        b"webtrends security analyzer" Scanner "webtrends.com"
        b"webvulnscan" Scanner "github.com/hhucn/webvulnscan"
        b"weevely" Exploit "github.com/epinna/weevely3"
        b"wfuzz" Fuzzer "github.com/xmendez/wfuzz"
        b"whatweb" Recon "github.com/urbanadventurer/WhatWeb"
        b"whisker" Scanner "wiretrip.net (whisker)"
        b"whitehat security" Scanner "whitehatsec.com"
        b"wpscan" Scanner "wpscan.com"
        b"wpxploit" Exploit "WPXploit mass scans"
        b"wprecon" Scanner "github.com/blackbinn/wprecon"
        b"x5s" Exploit "casaba.com (x5s)"
        b"xattacker" Exploit "github.com/Moham3dRiahi/XAttacker"
        b"xray" Scanner "github.com/chaitin/xray"
        b"xspear" Exploit "github.com/hahwul/XSpear"
        b"xsser" Exploit "xsser.03c8.net"
        b"xsstrike" Exploit "github.com/s0md3v/XSStrike"
        b"yakit" Scanner "yaklang.com"
        b"yersinia" Exploit "github.com/tomac/yersinia"
        b"zap/2" Scanner "zaproxy.org"
        b"zaproxy" Scanner "zaproxy.org"
        b"zgrab" Recon "github.com/zmap/zgrab2"
        b"zmap" Recon "zmap.io"
        b"zmeu" Scanner "ZmEu mass scans"
        b"zollard" Exploit "Linux.Zollard worm"
    }
    LIBRARY {
        b"aiohttp/" Library "docs.aiohttp.org"
        b"apache-httpclient/" Library "hc.apache.org"
        b"apachebench/" Library "httpd.apache.org/docs (ab)"
        b"axios/" Library "axios-http.com"
        b"curl/" Library "curl.se"
        b"faraday v" Library "lostisland.github.io/faraday"
        b"go-http-client/" Library "pkg.go.dev/net/http"
        b"go-resty/" Library "github.com/go-resty/resty"
        b"guzzlehttp/" Library "docs.guzzlephp.org"
        b"headlesschrome" Library "developer.chrome.com/docs/chromium/headless"
        b"httpie/" Library "httpie.io"
        b"http_request2" Library "pear.php.net"
        b"insomnia/" Library "insomnia.rest"
        b"java/1" Library "docs.oracle.com (URLConnection)"
        b"jakarta commons-httpclient" Library "hc.apache.org"
        b"k6/" Library "k6.io"
        b"libwww-perl" Library "metacpan.org/pod/LWP"
        b"lwp::simple" Library "metacpan.org/pod/LWP"
        b"mechanize" Library "github.com/sparklemotion/mechanize"
        b"node-fetch" Library "github.com/node-fetch/node-fetch"
        b"phantomjs" Library "phantomjs.org"
        b"playwright" Library "playwright.dev"
        b"postmanruntime/" Library "postman.com"
        b"puppeteer" Library "pptr.dev"
        b"python-httpx/" Library "python-httpx.org"
        b"python-requests/" Library "requests.readthedocs.io"
        b"python-urllib" Library "docs.python.org (urllib)"
        b"reqwest/" Library "docs.rs/reqwest"
        b"restsharp/" Library "restsharp.dev"
        b"scrapy/" Library "scrapy.org"
        b"selenium" Library "selenium.dev"
        b"siege/" Library "joedog.org/siege-home"
        b"undici" Library "undici.nodejs.org"
        b"wget/" Library "gnu.org/software/wget"
        b"winhttp" Library "learn.microsoft.com (WinHTTP)"
    }
    PROBE {
        b"/acunetix-wvs-test" Probe "acunetix.com"
        b"/acunetix_" Probe "acunetix.com"
        b"/appscan_fingerprint" Probe "hcl-software.com/appscan"
        b"/muieblackcat" Probe "Muieblackcat mass scans"
        b"/netsparker-" Probe "netsparker.com"
        b"/nessus_" Probe "tenable.com/products/nessus"
        b"/nessustest" Probe "tenable.com/products/nessus"
        b"/nikto-test" Probe "cirt.net/nikto2"
        b"/nice ports,/trinity" Probe "nmap.org (nmap-service-probes)"
        b"/nmaplowercheck" Probe "nmap.org (http library of NSE)"
        b"/nmapuppercheck" Probe "nmap.org (http library of NSE)"
        b"/openvas" Probe "openvas.org"
        b"/rapid7" Probe "rapid7.com"
        b"/skipfish" Probe "code.google.com/p/skipfish"
        b"/sfi9876" Probe "code.google.com/p/skipfish"
        b"/w00tw00t" Probe "DFind"
        b"/wpscan" Probe "wpscan.com"
    }
    CALLBACK {
        b"burpcollaborator.net" Callback "portswigger.net/burp/documentation/collaborator"
        b"oastify.com" Callback "portswigger.net/burp/documentation/collaborator"
        b"interact.sh" Callback "github.com/projectdiscovery/interactsh"
        b"interactsh.com" Callback "github.com/projectdiscovery/interactsh"
        b"oast.fun" Callback "github.com/projectdiscovery/interactsh"
        b"oast.live" Callback "github.com/projectdiscovery/interactsh"
        b"oast.me" Callback "github.com/projectdiscovery/interactsh"
        b"oast.online" Callback "github.com/projectdiscovery/interactsh"
        b"oast.pro" Callback "github.com/projectdiscovery/interactsh"
        b"oast.site" Callback "github.com/projectdiscovery/interactsh"
        b"bxss.me" Callback "acunetix.com (AcuMonitor)"
        b"bxss.in" Callback "bxsshunter.com"
        b"ceye.io" Callback "ceye.io"
        b"dnslog.cn" Callback "dnslog.cn"
        b"dnslog.link" Callback "dnslog.link"
        b"eyes.sh" Callback "eyes.sh"
        b"r87.me" Callback "invicti.com (Hawk)"
        b"xss.ht" Callback "xsshunter.com"
        b"xss.report" Callback "xss.report"
    }
}
