//! Request bodies taken apart into named values: form, JSON, multipart, XML, GraphQL, text; charsets and compression.
