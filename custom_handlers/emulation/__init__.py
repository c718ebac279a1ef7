"""What a service that takes one text and gives one text lacks. No I/O: it asks through what it is given.

emulator            what to ask, and how to read the answer, in one attempt or two (request, attempt)
prompt              a conversation as one text: its turns (transcript), what their parts hold (content), and the lines
                    between them (role_headers)
tools               the tools as text, and whether a call of one is right (tool_arguments; conversion: "30" for 30, and
                    the like)
tool_call_format    how calls and results are written in a prompt
parser/             calls, reasoning and invented turns out of an answer
structured_output   JSON that fits a schema
json_schema/        whether a value fits a schema
lenient_json        JSON as models write it (found_json: in an answer around it)
stop                stop sequences, and the longest answer
context_window      the longest prompt (tokenizer: in the models' own tokens)
brevity             which requests are prepared without a thread
"""
