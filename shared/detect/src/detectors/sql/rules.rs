//! The rules of SQL_INJECTION.

use crate::{Category, Level, Rule, Severity};

macro_rules! rules {
    ($($konst:ident = $id:literal $name:literal $severity:ident $level:ident
        $description:literal, $example:literal, not $lookalike:literal, $reference:literal;)*) => {
        $(
            #[doc = $description]
            pub const $konst: Rule = Rule {
                id: $id,
                name: $name,
                category: Category::SqlInjection,
                severity: Severity::$severity,
                level: Level::$level,
                description: $description,
                example: $example,
                lookalike: $lookalike,
                reference: $reference,
            };
        )*
    };
}
rules! {
    UNION = 1001 "sql-union" Critical One
        "A second query joined to the application's by UNION, INTERSECT or EXCEPT",
        "-1 union all select 1,@@version,3", not "union of students, select committee",
        "CWE-89, CAPEC-66, CRS 942190";
    BOOLEAN = 1002 "sql-or-bypass" Critical One
        "A condition joined by OR, AND, XOR, HAVING or WHERE that the client decides: a tautology or a yes/no probe",
        "x' or 'a'='a", not "black or white = grey",
        "CWE-89, CAPEC-66, CAPEC-7, CRS 942130";
    QUOTES = 1003 "sql-quotes" Critical One
        "A quote that closes the application's literal, an operator, and a quote that opens the rest again",
        "admin'='", not "O'Brien and D'Arcy",
        "CWE-89, CAPEC-66, CRS 942180";
    COMMENT = 1004 "sql-comment" Critical One
        "A quote that closes the application's literal and a comment that cuts off the rest of its statement",
        "admin'--", not "code=4/P7q7W91a-oMs--CeLvIaQm6bTrgtp7",
        "CWE-89, CAPEC-66, CRS 942180";
    SELECT = 1005 "sql-select-from" Critical One
        "A SELECT whose list and FROM make a query, not a sentence",
        "select login, password from users where id=1", not "select the best from the list",
        "CWE-89, CAPEC-66, CRS 942360";
    DDL = 1006 "sql-drop" Critical One
        "DROP, TRUNCATE, ALTER, CREATE or GRANT that acts on a schema object",
        "1; drop table users", not "drop table reservations at noon",
        "CWE-89, CAPEC-66, CRS 942360";
    DELETE = 1007 "sql-delete" Critical One
        "DELETE FROM a table",
        "x'; delete from users where id > 0", not "delete from favourites",
        "CWE-89, CAPEC-66, CRS 942360";
    INSERT = 1008 "sql-insert" Critical One
        "INSERT or REPLACE INTO a table",
        "1; insert into users values (1,'a')", not "insert into the slot",
        "CWE-89, CAPEC-66, CRS 942360";
    UPDATE = 1009 "sql-update-set" Critical One
        "UPDATE of a table",
        "1; update users set role = 'admin'", not "update your set of keys",
        "CWE-89, CAPEC-66, CRS 942360";
    STACKED = 1010 "sql-stacked" Critical One
        "A second statement after a semicolon",
        "1'; shutdown--", not "open the lid; select a size",
        "CWE-89, CAPEC-66, CRS 942350";
    PROCEDURE = 1011 "sql-exec" Critical One
        "A stored procedure or dynamic statement run: EXEC, DECLARE @x, xp_cmdshell",
        "exec master..xp_cmdshell 'whoami'", not "exec summary for the board",
        "CWE-89, CAPEC-66, CAPEC-110, CRS 942190";
    TIME = 1012 "sql-time-delay" Critical One
        "A call that makes the database wait: SLEEP, BENCHMARK, WAITFOR DELAY, PG_SLEEP, heavy queries",
        "1; waitfor delay '0:0:5'", not "I need sleep (8 hours)",
        "CWE-89, CAPEC-7, CRS 942160, CRS 942280";
    ERROR = 1013 "sql-error-function" Critical One
        "A call that leaks data through an error message: EXTRACTVALUE, UPDATEXML, GTID_SUBSET …",
        "1 and extractvalue(1,concat(0x7e,version()))", not "extract value from the report",
        "CWE-89, CAPEC-54, CRS 942151";
    SYSTEM = 1014 "sql-system-function" Critical One
        "A call or clause that reaches files, network or system: LOAD_FILE, INTO OUTFILE, UTL_HTTP …",
        "1 union select load_file('/etc/passwd')", not "load file from disk",
        "CWE-89, CAPEC-66, CRS 942140";
    CATALOG = 1015 "sql-catalog" Critical One
        "A read of the database's own catalogue, accounts or version",
        "1 and (select count(*) from information_schema.tables)>0", not "the schema of information",
        "CWE-89, CAPEC-66, CRS 942140";
    ENCODED = 1016 "sql-encoded-text" Critical One
        "Text put together from character codes or hexadecimal inside SQL",
        "char(113)+char(118)+char(120)", not "char (8) field",
        "CWE-89, CAPEC-66, CAPEC-267, CRS 942440";
    SUBQUERY = 1017 "sql-subquery" Critical One
        "A query in brackets where a value should stand",
        "1-(select 1)", not "size (select one)",
        "CWE-89, CAPEC-66, CRS 942360";
    CLAUSE = 1018 "sql-clause" Critical One
        "A clause that follows a value: ORDER BY 5--, GROUP BY … HAVING, LIMIT, PROCEDURE ANALYSE",
        "1' order by 5--", not "order by phone",
        "CWE-89, CAPEC-66, CAPEC-54, CRS 942360";
    VERSIONED = 1019 "sql-hidden-keyword" Critical One
        "A keyword hidden in a MySQL version comment or split by comments",
        "1 /*!50000union*/ /*!select*/ 1,2", not "/*! normalize.css v8.0.1 */",
        "CWE-89, CAPEC-66, CAPEC-267, CRS 942500";
    FUNCTION = 1020 "sql-function" Critical One
        "A function of SQL where the application expects plain text, after a closed literal or a number",
        "1' and ascii(substr(password,1,1))>64", not "concat two lists",
        "CWE-89, CAPEC-7, CRS 942151";
    CONSTANT = 1021 "sql-constant-comparison" Critical One
        "A value that is a comparison of two constants",
        "'x'!='y'", not "a=b",
        "CWE-89, CAPEC-66, CRS 942130, CRS 942131";
    VALUES = 1022 "sql-value-list" Critical One
        "A quote that closes the application's literal and further values of an INSERT",
        "x',null,null)--", not "the dogs', 2 cats",
        "CWE-89, CAPEC-66, CRS 942200";
    NAME = 1023 "sql-fragment-name" Critical One
        "A piece of SQL in the name of a parameter, where forms have identifiers",
        "concat(", not "filter[name]",
        "CWE-89, CRS 942380, CRS 942410";
    OPERATOR_KEY = 1030 "nosql-operator-key" Critical One
        "A MongoDB query operator as a JSON key",
        "$ne", not "$schema",
        "CWE-943, CAPEC-676, CRS 942290";
    OPERATOR_PARAMETER = 1031 "nosql-operator-parameter" Critical One
        "A MongoDB query operator in brackets in a parameter's name",
        "password[$ne]", not "items[0]",
        "CWE-943, CAPEC-676, CRS 942290";
    JAVASCRIPT = 1032 "nosql-javascript" Critical One
        "A quote that closes a literal in a server-side JavaScript query ($where) and goes on in code",
        "a'; return true; var x='", not "I won't; return the book",
        "CWE-943, CAPEC-676";
    XPATH = 1033 "xpath-breakout" Critical One
        "A quote that closes a literal in an XPath predicate, and the predicate closed behind it or asked on with an XPath function",
        "x')]|//account|/a['y", not "[the '80s] | music",
        "CWE-643, CAPEC-83";
    CYPHER = 1034 "cypher-breakout" Critical One
        "A value that ends a literal or a pattern in a Cypher query and goes on with a clause and a comment",
        "x'}) detach delete n //", not "the 'return' key // left",
        "CWE-943, CAPEC-676";
    SECRET_LOOKUP = 1035 "orm-secret-lookup" Critical One
        "A parameter or a JSON key that compares a secret field by a part of it, in a query builder's spelling",
        "owner__password__startswith", not "title__startswith",
        "CWE-943, CWE-200";
    OPERATOR_FILTER = 1040 "nosql-operator-filter" Critical Two
        "A MongoDB comparison operator in a filter that clients write, as search APIs take it",
        "filters[price][$gt]", not "filters[price]",
        "CWE-943, CRS 942290";
    STATEMENT = 1041 "sql-statement" Critical Two
        "A plain SQL statement, as posts about SQL and admin consoles carry",
        "select name from users", not "select name, please",
        "CWE-89, CRS 942360";
    CONDITION = 1042 "sql-condition" Critical Two
        "A condition on a column or a number joined by OR or AND, as search expressions carry",
        "1 or 1", not "one or two",
        "CWE-89, CRS 942390";
    LOOSE_COMMENT = 1043 "sql-comment-loose" Critical Two
        "A quote followed by a comment mark and more words",
        "it is the boys' -- and the girls too", not "the boys and girls --",
        "CWE-89, CRS 942440";
    FRAGMENT = 1044 "sql-fragment" Critical Two
        "A piece of SQL that is no statement of its own",
        "', 2, 1", not "2, 1",
        "CWE-89, CRS 942380";
    QUOTE_PROBE = 1045 "sql-quote-probe" Critical Two
        "A value that is a quote, or a short one that ends with a quote and brackets",
        "1'", not "rock 'n' roll",
        "CWE-89, CAPEC-66, CRS 942330";
    ANY_QUOTE = 1046 "sql-any-quote" Critical Three
        "An odd number of quotes",
        "O'Brien", not "a 'quoted' word",
        "CWE-89, CRS 942490";
}

/// Every rule of this category.
pub static RULES: &[Rule] = &[
    UNION,
    BOOLEAN,
    QUOTES,
    COMMENT,
    SELECT,
    DDL,
    DELETE,
    INSERT,
    UPDATE,
    STACKED,
    PROCEDURE,
    TIME,
    ERROR,
    SYSTEM,
    CATALOG,
    ENCODED,
    SUBQUERY,
    CLAUSE,
    VERSIONED,
    FUNCTION,
    CONSTANT,
    VALUES,
    NAME,
    OPERATOR_KEY,
    OPERATOR_PARAMETER,
    JAVASCRIPT,
    XPATH,
    CYPHER,
    SECRET_LOOKUP,
    OPERATOR_FILTER,
    STATEMENT,
    CONDITION,
    LOOSE_COMMENT,
    FRAGMENT,
    QUOTE_PROBE,
    ANY_QUOTE,
];
