-- The tables of the Auth.js SQL adapters, with keys. Texts compare by code point and with the blanks at their end.
-- Half of this may be there: MySQL makes each table for itself, and a start can be broken off between two.
create table if not exists {users} (
  id varchar(255) not null primary key default (uuid()),
  name text,
  email varchar(320) unique,
  `emailVerified` datetime(3),
  image text,
  extra longtext
) engine = innodb default character set utf8mb4 collate {collation};
create table if not exists {accounts} (
  id bigint not null primary key auto_increment,
  `userId` varchar(255) not null,
  type varchar(255) not null,
  provider varchar(255) not null,
  `providerAccountId` varchar(255) not null,
  refresh_token text,
  access_token text,
  expires_at bigint,
  id_token text,
  scope text,
  session_state text,
  token_type text,
  unique (provider, `providerAccountId`),
  index (`userId`),
  foreign key (`userId`) references {users} (id) on delete cascade
) engine = innodb default character set utf8mb4 collate {collation};
create table if not exists {sessions} (
  id bigint not null primary key auto_increment,
  `sessionToken` varchar(255) not null unique,
  `userId` varchar(255) not null,
  expires datetime(3) not null,
  created datetime(3),
  last_seen datetime(3),
  address text,
  user_agent text,
  version bigint not null default 0,
  data longtext,
  index (`userId`),
  index (expires),
  foreign key (`userId`) references {users} (id) on delete cascade
) engine = innodb default character set utf8mb4 collate {collation};
create table if not exists {tokens} (
  identifier varchar(320) not null,
  token varchar(255) not null,
  expires datetime(3) not null,
  primary key (identifier, token),
  index (expires)
) engine = innodb default character set utf8mb4 collate {collation};
create table if not exists {revocations} (
  kind varchar(16) not null,
  subject varchar(255) not null,
  at datetime(3) not null,
  expires datetime(3) not null,
  primary key (kind, subject),
  index (at),
  index (expires)
) engine = innodb default character set utf8mb4 collate {collation};
