-- Neovim without a screen asks what a person would; GRAPH and PROGRAM are variables of the environment.
vim.cmd('edit ' .. vim.env.GRAPH)
local id = vim.lsp.start_client({ name = 'talkgraph', cmd = { vim.env.PROGRAM, 'lsp' }, root_dir = vim.fn.getcwd() })
vim.lsp.buf_attach_client(0, id)
vim.wait(60000, function() return #vim.diagnostic.get(0) > 0 end, 50)
for _, one in ipairs(vim.diagnostic.get(0)) do
  print('told ' .. (one.lnum + 1) .. ':' .. (one.col + 1) .. ' ' .. one.message .. '\n')
end
local function ask(method, pattern, more)
  vim.fn.cursor(1, 1)
  vim.fn.search(pattern, 'c')
  local params = vim.lsp.util.make_position_params(0, 'utf-16')
  params.position.character = params.position.character + more
  local answers = vim.lsp.buf_request_sync(0, method, params, 60000)
  return answers and answers[id] and answers[id].result
end
local hover = ask('textDocument/hover', 'type: mel', 7)
print('hover ' .. (hover and hover.contents.value:match('^[^\n]*') or 'nothing') .. '\n')
local place = ask('textDocument/definition', 'parts/person', 2)
print('place ' .. (place and place.uri or 'nothing') .. '\n')
for _, item in ipairs(ask('textDocument/completion', 'frames.frames', 3) or {}) do
  print('offered ' .. item.label .. '\n')
end
vim.cmd('qa!')
